"""The report in a folder, such as one that a server shows."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import UserError
from pipeline.publish.content import DOMAIN, INDEX, MARK, Content
from pipeline.store.replacing import replaced


def write_folder(content: Content, out: Path) -> bool:
    """Bring a folder to what is published: write what differs, remove what is no longer there.

    Names that begin with a dot (``.git``, ``.htaccess``) and the file of a domain belong to others, and stay.
    The first page is written last: until then it shows the report that was there before.

    Parameters
    ----------
    content
        The report.
    out
        The folder, empty, or with a report that was published into it.

    Returns
    -------
    bool
        Whether anything changed.

    Raises
    ------
    UserError
        If the folder holds anything else, lies within the report or around it, or cannot be written.
    """
    _check(content.report, out)
    try:
        before = {path.relative_to(out).as_posix() for path in _published(out) if path.is_file()}
        names, changed, pages = set(), False, []
        for name, data in content.files():
            names.add(name)
            if name not in before or (out / name).read_bytes() != data:
                changed = True
                if name == INDEX:
                    pages.append(data)
                else:
                    _write(out / name, data)
        for data in pages:
            _write(out / INDEX, data)
        for name in sorted(before - names):
            (out / name).unlink()
        _drop_empty(out)
    except OSError as error:
        raise UserError(f"{out}: cannot be written: {error.strerror}") from error
    return changed or before != names


def _check(report: Path, out: Path) -> None:
    ours, theirs = report.resolve(), out.resolve()
    if ours == theirs or ours in theirs.parents or theirs in ours.parents:
        raise UserError(f"{out}: lies within the report or around it; give another folder")
    if out.exists() and not out.is_dir():
        raise UserError(f"{out}: not a folder; give another name")
    if out.is_dir() and any(out.iterdir()) and not (out / MARK).is_file():
        raise UserError(
            f"{out}: holds something that is no published report; empty it, or give another folder"
        )


def _published(out: Path) -> Iterator[Path]:
    """Yield what lies in a folder and may be a report's."""
    for path in out.rglob("*"):
        top = path.relative_to(out).parts[0]
        if top != DOMAIN and not top.startswith("."):
            yield path


def _write(path: Path, data: bytes) -> None:
    with replaced(path) as partial:
        partial.write_bytes(data)


def _drop_empty(out: Path) -> None:
    folders = [path for path in _published(out) if path.is_dir()]
    for folder in sorted(folders, key=lambda path: len(path.parts), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
