"""What is published: the report, its first page stamped with the revision, and a file that names it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markupsafe import escape

from pipeline.errors import UserError

INDEX = "index.html"
PLACE = "<!-- revision -->"
# Says that what lies in a folder or on a branch is a published report, which may be replaced.
MARK = "revision.txt"
# Names the domain under which GitHub Pages shows a branch; whoever chose one put it there.
DOMAIN = "CNAME"


@dataclass(frozen=True)
class Content:
    """A report with the revision that it came from; made by `read_content`.

    Attributes
    ----------
    report
        Its folder.
    revision
        Of git, and what is to be said of it.
    """

    report: Path
    revision: str

    def added(self) -> dict[str, bytes]:
        """Return the files that are not those of the report: the stamped first page, the revision's."""
        page = (self.report / INDEX).read_text(encoding="utf-8")
        stamp = f"<p class='note'>Revision <code>{escape(self.revision)}</code> (git)</p>"
        return {INDEX: page.replace(PLACE, stamp).encode(), MARK: f"{self.revision}\n".encode()}

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield all files, sorted by name, one in memory at a time."""
        added = self.added()
        for name in sorted({*self.names(), *added}):
            yield name, added[name] if name in added else (self.report / name).read_bytes()

    def names(self) -> list[str]:
        """Return the names of the report's own files, relative to its folder."""
        files = (path for path in self.report.rglob("*") if path.is_file())
        return [path.relative_to(self.report).as_posix() for path in files]

    def bytes(self) -> int:
        """Return how large the report is."""
        return sum((self.report / name).stat().st_size for name in self.names())


def read_content(report: Path, revision: str) -> Content:
    """Return what is to be published of a report.

    Raises
    ------
    UserError
        If the folder is no report.
    """
    index = report / INDEX
    if not index.is_file() or PLACE not in index.read_text(encoding="utf-8"):
        raise UserError(f"{report}: not a report; run 'dvc repro' first")
    return Content(report, revision)
