"""Where each member of a tar file lies, so that one can be read without unpacking."""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.dataset.names import escape, leaves
from pipeline.errors import UserError


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a tar file.

    Attributes
    ----------
    name
        Its path, escaped, without a leading "./".
    offset, size
        Where its content begins and how long it is, bytes; -1 for what is not a regular file.
    """

    name: str
    offset: int
    size: int


def members(path: Path) -> Iterator[Member]:
    """Yield the members of an uncompressed tar file in its order, folders left out.

    Raises
    ------
    UserError
        If it is no uncompressed tar file, ends too early, or a member's name leads out of it.
    """
    size = path.stat().st_size
    try:
        with tarfile.open(path, "r:", errors="surrogateescape") as file:
            while (info := file.next()) is not None:
                # tarfile keeps every member it has seen: gigabytes for millions of images.
                file.members.clear()  # type: ignore[attr-defined]
                if not info.isdir():
                    yield _member(info, path, size)
            _check_end(path, file.offset)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise UserError(f"{path}: not an uncompressed, whole tar file ({error}); pack it again") from None


def index(path: Path) -> dict[str, Member]:
    """Return the members of a tar file by name.

    Raises
    ------
    UserError
        As `members`, and if a name occurs twice.
    """
    found: dict[str, Member] = {}
    for member in members(path):
        if member.name in found:
            raise UserError(f"{path}: the name '{member.name}' occurs twice; pack it again without")
        found[member.name] = member
    return found


def _member(info: tarfile.TarInfo, path: Path, size: int) -> Member:
    name = escape(info.name.removeprefix("./"))
    if leaves(name):
        raise UserError(f"{path}: the member '{name}' leads out of the dataset; pack it again without")
    if not info.isreg() or info.issparse():
        return Member(name, -1, -1)
    if info.offset_data + info.size > size:
        raise UserError(f"{path}: truncated within the member '{name}'; copy or pack it again")
    return Member(name, info.offset_data, info.size)


def _check_end(path: Path, offset: int) -> None:
    """Check for the empty block that ends an archive: tarfile takes a cut or a broken header for the end."""
    with path.open("rb") as file:
        file.seek(offset)
        if file.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
            raise tarfile.ReadError(f"broken or cut at byte {offset}")
