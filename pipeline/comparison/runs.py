"""The runs that are compared: what a revision made, or what lies in a project's folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import UserError
from pipeline.revisions.artifacts import Revision
from pipeline.revisions.git import git_revision

NEEDED = ("artifacts/manifest.h5", "artifacts/predictions.h5", "metrics", "params.yaml")
HELPFUL = ("artifacts/topk.h5", "artifacts/embedding.h5", "artifacts/activations")
# Only the later run's are shown.
PICTURES = "artifacts/thumbnails.h5"
# Activations of a million images are hundreds of gigabytes.
LARGEST = 4e9  # bytes


@dataclass(frozen=True)
class Run:
    """What a run left behind.

    Attributes
    ----------
    name
        What the page calls it.
    folder
        Holds artifacts/, metrics/ and params.yaml.
    lacking
        Files that could not be had, and why.
    """

    name: str
    folder: Path
    lacking: Mapping[str, str] = field(default_factory=dict)

    @property
    def lacks_anything(self) -> bool:
        """Whether something that is compared could not be had; pictures only show."""
        return bool(set(self.lacking) - {PICTURES})

    def path(self, name: str) -> Path:
        """Return where a file or folder of the run lies.

        Raises
        ------
        UserError
            If it could not be had: with the reason.
        """
        if name in self.lacking:
            raise UserError(self.lacking[name])
        if not (self.folder / name).exists():
            raise UserError(f"{self.name} has no {name}; run 'dvc repro' there")
        return self.folder / name


def open_run(given: str | None, project: Path, room: Path) -> Run:
    """Return a run.

    Parameters
    ----------
    given
        A project's folder, or what git calls a revision of this project; None: this project as it lies.
    project
        This project.
    room
        A folder for what is fetched of a revision.

    Raises
    ------
    UserError
        If there is neither, or what every comparison needs is not there.
    """
    if given is None:
        return _checked(Run(f"working tree ({_brief(git_revision(project))})", project))
    if not given:
        raise UserError("an empty name is no revision; give one, such as HEAD~1")
    if (project / given / "artifacts").is_dir():
        return _checked(Run(given, project / given))
    revision = Revision(project, given)
    lost = revision.get((*NEEDED, *HELPFUL, PICTURES), room, most=LARGEST)
    return _checked(Run(given, room, lost))


def _checked(run: Run) -> Run:
    for name in NEEDED:
        run.path(name)
    return run


def _brief(revision: str) -> str:
    commit, changed, rest = revision.partition(" ")
    return commit[:9] + changed + rest
