"""What stages made at another revision of a project, from DVC's cache or a remote."""

from collections.abc import Sequence
from pathlib import Path

from dvc.api import DVCFileSystem
from dvc.exceptions import DvcException
from dvc.scm import SCMError
from dvc_data.index import DataIndexError

from pipeline.errors import UserError


class Revision:
    """A revision of a project as a file system; the working tree stays as it is.

    Parameters
    ----------
    project
        Its folder.
    name
        What git calls the revision: a commit, a branch, a tag, `HEAD~1`.

    Raises
    ------
    UserError
        If there is no such revision, or the folder is no project of DVC.
    """

    def __init__(self, project: Path, name: str) -> None:
        self.name = name
        try:
            self._files = DVCFileSystem(str(project), rev=name)
            # It is opened when it is first asked for something.
            self._files.ls("")
        except SCMError as error:
            raise UserError(f"{name}: no such revision here ({error}); 'git log' lists them") from None
        except DvcException as error:
            raise UserError(f"{project}: not a project of git and DVC ({error})") from None

    def get(self, names: Sequence[str], out: Path, *, most: float = float("inf")) -> dict[str, str]:
        """Copy files and folders that the revision has.

        Parameters
        ----------
        names
            Relative to the project.
        out
            The folder that they go to, under their names.
        most
            Bytes of the largest that is copied.

        Returns
        -------
        dict
            Those that were not copied, and why.
        """
        lost = {}
        for name in names:
            if reason := self._get(name, out / name, most):
                lost[name] = reason
        return lost

    def _get(self, name: str, target: Path, most: float) -> str:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            size = self._files.info(name).get("size") or 0
            if size > most:
                return (
                    f"at {self.name} {name} takes {size / 1e9:.1f} GB, more than is fetched for a comparison"
                )
            self._files.get(name, str(target), recursive=True)
        except (OSError, DvcException, DataIndexError):
            if not self._is_made(name):
                return f"{name} is made by no stage of {self.name}"
            return (
                f"{name} of {self.name} is neither in DVC's cache nor in a remote; where it was made, "
                "'dvc push --all-commits', or check that revision out and 'dvc repro'"
            )
        return ""

    def _is_made(self, name: str) -> bool:
        try:
            return bool(self._files.exists(name))
        except (OSError, DvcException, DataIndexError):
            return True
