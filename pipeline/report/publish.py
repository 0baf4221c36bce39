"""The report as one zip that says from which git revision it was made.

The command: ``python -m pipeline.report.publish report OUT.zip``.

The report itself knows no revision: as an output that git tracks by its digest, a report that named its own
commit could never be clean. The same report and revision give the same bytes.
"""

import argparse
import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from markupsafe import escape

from pipeline.errors import UserError
from pipeline.store.replacing import replaced

PLACE = "<!-- revision -->"
# The earliest time that a zip can hold; a real one would change the bytes.
TIME = (1980, 1, 1, 0, 0, 0)
MODE = 0o100644 << 16
# Pictures are compressed already.
STORED = {".png", ".jpg", ".webp", ".pdf"}


def git_revision(folder: Path) -> str:
    """Return the commit that is checked out, and whether tracked files differ from it.

    Parameters
    ----------
    folder
        A folder of the repository.

    Returns
    -------
    str
        The commit's hash, with " with uncommitted changes" after it if so, or "unknown" outside git.
    """
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit} with uncommitted changes" if changes else commit


def publish(report: Path, out: Path, revision: str) -> None:
    """Write a report's folder into a zip, its index stamped with a revision.

    Parameters
    ----------
    report
        The folder that the report stage wrote.
    out
        The zip; replaced only when the new one is whole.
    revision
        What to stamp.

    Raises
    ------
    UserError
        If the folder is no report, or the zip cannot be written.
    """
    index = report / "index.html"
    page = index.read_text(encoding="utf-8") if index.is_file() else ""
    if PLACE not in page:
        raise UserError(f"{report}: not a report; run the report stage first")
    stamp = f"<p class='note'>Revision <code>{escape(revision)}</code> (git)</p>"
    try:
        with replaced(out) as partial, zipfile.ZipFile(partial, "w") as archive:
            for file in sorted(path for path in report.rglob("*") if path.is_file()):
                content = page.replace(PLACE, stamp).encode() if file == index else file.read_bytes()
                _add(archive, (Path(report.resolve().name) / file.relative_to(report)).as_posix(), content)
    except OSError as error:
        raise UserError(f"{out}: cannot be written: {error.strerror}") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.report.publish", description=__doc__)
    parser.add_argument("report", type=Path, help="the report's folder")
    parser.add_argument("out", type=Path, help="the zip to write")
    options = parser.parse_args(arguments)
    try:
        revision = git_revision(options.report)
        publish(options.report, options.out, revision)
    except UserError as error:
        print(f"publish: error: {error}", file=sys.stderr)
        return 1
    print(f"{options.out}: revision {revision}", file=sys.stderr)
    return 0


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, TIME)
    entry.external_attr = MODE
    entry.create_system = 3  # Unix, wherever this runs
    packed = Path(name).suffix.lower() not in STORED
    entry.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    archive.writestr(entry, content)


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    raise SystemExit(main())
