"""Where each member of a tar file lies, so that one can be read without unpacking."""

import posixpath
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.dataset.names import escape, leaves
from pipeline.errors import UserError, stand_in

# Links to links that are followed.
MOST_LINKS = 8


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a tar file.

    Attributes
    ----------
    name
        Its path, escaped, without a leading "./".
    offset, size
        Where its content begins and how long it is, bytes; -1 for what is not a regular file.
    target
        Of a hard or symbolic link, the name of the member that it means; else empty.
    """

    name: str
    offset: int
    size: int
    target: str = ""


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
        with path.open("rb") as begin:
            instead = stand_in(begin.read(tarfile.BLOCKSIZE))
        if instead:
            raise UserError(f"{path}: {instead}") from None
        raise UserError(f"{path}: not an uncompressed, whole tar file ({error}); pack it again") from None


def index(path: Path) -> dict[str, Member]:
    """Return the members of a tar file by name; a link has the content of the member that it means.

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
    for link in [member for member in found.values() if member.target]:
        meant = _meant(found, link)
        found[link.name] = Member(link.name, meant.offset, meant.size)
    return found


def _meant(found: Mapping[str, Member], link: Member) -> Member:
    """Return the member that a link leads to, or the link itself if it leads to none."""
    member = link
    for _ in range(MOST_LINKS):
        if not member.target or member.target not in found:
            break
        member = found[member.target]
    return member


def _member(info: tarfile.TarInfo, path: Path, size: int) -> Member:
    name = escape(info.name.removeprefix("./"))
    if leaves(name):
        raise UserError(f"{path}: the member '{name}' leads out of the dataset; pack it again without")
    if info.islnk() or info.issym():
        # A hard link names its target from the top of the archive, a symbolic one from where it lies.
        start = "" if info.islnk() else posixpath.dirname(name)
        return Member(name, -1, -1, posixpath.normpath(posixpath.join(start, escape(info.linkname))))
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
