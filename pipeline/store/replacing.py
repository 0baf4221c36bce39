"""Write aside, then put in place: a file or folder under its name is whole, or is what it was before.

- `replaced`: a file
- `replaced_folder`: a folder

And `linked`: a file under a second name, without its bytes where the file system allows.
"""

import glob
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import DISK_FAULTS, UserError


def linked(source: str | Path, target: str | Path) -> None:
    """Put a file under a second name without copying its bytes, or copy it where it cannot be linked.

    Raises
    ------
    FileExistsError
        There is a file of that name.
    """
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        # Another file system, or one without hard links.
        shutil.copyfile(source, target)


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Give a name to write a file under; it takes the place of `path` when the block ends without an error.

    Parameters
    ----------
    path
        The file; its folder is made. It changes in one step that cannot be half done, and is on the disk
        then.

    Yields
    ------
    Path
        A name in the same folder that no other live process uses.

    Raises
    ------
    UserError
        If the disk is full or the folder cannot be written; `path` is what it was then.
    """
    temporary = _aside(path)
    try:
        with _disk_faults(path):
            _make_room(path, temporary)
            yield temporary
            _sync(temporary)
            os.replace(temporary, path)
            _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replaced_folder(path: Path) -> Iterator[Path]:
    """Give an empty folder to fill; it takes the place of `path` when the block ends without an error.

    Parameters
    ----------
    path
        The folder; what it held before is deleted. The files in the new one are brought to the disk by those
        who write them: a report has thousands, which no power failure makes worth as many waits.

    Yields
    ------
    Path
        A folder beside it that no other live process uses.

    Raises
    ------
    UserError
        If the disk is full or the folder cannot be written; `path` is what it was then.
    """
    temporary, before = _aside(path), _aside(path, "before")
    try:
        with _disk_faults(path):
            _make_room(path, temporary, before)
            temporary.mkdir()
            yield temporary
            if path.exists():
                os.replace(path, before)
            os.replace(temporary, path)
            _sync(path.parent)
    finally:
        _remove(temporary)
        _remove(before)


def _aside(path: Path, suffix: str = "tmp") -> Path:
    return path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}.{suffix}")


def _make_room(path: Path, *names: Path) -> None:
    """Make the folder that `path` lies in; remove what dead processes left under such names there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for name in names:
        beginning, suffix = f".{path.name}.{socket.gethostname()}.", name.suffix
        for left in path.parent.glob(f"{glob.escape(beginning)}*{suffix}"):
            process = left.name.removeprefix(beginning).removesuffix(suffix)
            if process.isdigit() and not _lives(int(process)):
                _remove(left)
        _remove(name)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Bring a file, or a folder's list of names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _disk_faults(path: Path) -> Iterator[None]:
    """Say that the disk is full or may not be written; HDF5 gives the system's reason as text only."""
    try:
        yield
    except OSError as error:
        reasons = [os.strerror(fault) for fault in DISK_FAULTS]
        if error.errno not in DISK_FAULTS and not any(reason in str(error) for reason in reasons):
            raise
        raise UserError(f"{path}: cannot be written, nothing was published: {error}") from error
