"""Reading the images of a dataset on disk by their path.

A dataset is a folder of images, a folder of tar files (or one tar file), or a CSV that names images. What is
in it is found by `pipeline.manifest.scanning`; here, only the bytes of one image are read.
"""

import codecs
import os
import re
import stat
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pipeline.dataset.names import escape, leaves, unescape
from pipeline.dataset.tars import Member, index
from pipeline.errors import UserError
from pipeline.images.decoding import ImageError

MOST_BYTES = 1 << 29
HEAD_BYTES = 1 << 16
TAR = ".tar"
TABLES = (".csv", ".tsv")
COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst", ".zip")
# Stores that keep a file under a digest of its content and link to it from where its name stands: the cache
# of DVC, the objects of git-annex, the blobs of Hugging Face.
STORED = re.compile(
    r"/[0-9a-f]{2}/[0-9a-f]{30}$|/annex/objects/.+/[A-Z0-9]+-[^/]+$|/blobs/(?:[0-9a-f]{40}|[0-9a-f]{64})$"
)
_indexing = threading.Lock()


@dataclass(frozen=True)
class Dataset:
    """A dataset that was opened; may be pickled and shared by threads and processes.

    Attributes
    ----------
    path
        What was opened, absolute.
    kind
        "folder" (of images, of tar files, or both), "tar" (one tar file) or "csv".
    root
        The folder that paths of images are relative to, links resolved.
    """

    path: Path
    kind: str
    root: Path

    def read(self, path: str) -> bytes:
        """Read the bytes of one image.

        Parameters
        ----------
        path
            As in the manifest: relative, "/" between folders, ``shard.tar/member`` in tar files.

        Raises
        ------
        ImageError
            "missing", "unreadable", "not a file" or "too large".
        UserError
            If the path leads out of the dataset.
        """
        if leaves(path):
            raise UserError(f"{self.path}: the path '{path}' leads out of the dataset; use paths inside it")
        if f"{TAR}/" in path:
            shard, _, member = path.partition(f"{TAR}/")
            place = self._shard(unescape(shard + TAR))
            if place.is_file():
                return _read_member(place, member)
        return _read_below(self.root, unescape(path), source=str(self.path))

    def _shard(self, name: str) -> Path:
        # The one tar file may be a link to a file of another name.
        return self.path.resolve() if self.kind == "tar" else locate(self.root, name, source=str(self.path))


def open_dataset(path: Path | str) -> Dataset:
    """Open a dataset for reading by path.

    Parameters
    ----------
    path
        A folder of images or tar files, one tar file, or a CSV.

    Returns
    -------
    Dataset

    Raises
    ------
    UserError
        If there is no such path, it is nothing of these, or a CSV names a folder that is not there.
    """
    path = Path(path)
    if path.is_dir():
        return Dataset(path.absolute(), "folder", path.resolve())
    if not path.is_file():
        raise UserError(f"dataset.path: {path} does not exist; give a folder, a tar file or a CSV")
    if path.suffix == TAR:
        return Dataset(path.absolute(), "tar", path.absolute().parent.resolve())
    if path.suffix.lower() in TABLES:
        return Dataset(path.absolute(), "csv", csv_root(path))
    if path.name.endswith(COMPRESSED):
        raise UserError(f"dataset.path: {path}: compressed archives are not read; unpack it")
    raise UserError(f"dataset.path: {path} is no dataset; give a folder, a tar file or a CSV")


def locate(root: Path, name: str, *, source: str) -> Path:
    """Resolve a relative path below `root`; links may lead out of it to a store of content, nowhere else.

    Raises
    ------
    ImageError
        If there is no such file or its links cannot be followed.
    UserError
        If a link leads out of `root`.
    """
    try:
        place = os.path.realpath(root / name, strict=True)
    except FileNotFoundError:
        raise ImageError("missing", why_missing(root / name)) from None
    except OSError as error:
        raise ImageError(_reason(error), error.strerror or "cannot be followed") from None
    except ValueError as error:
        raise ImageError("missing", f"no file can have this name: {error}") from None
    if os.path.commonpath([place, root]) != str(root) and not STORED.search(place):
        raise UserError(
            f"{source}: '{escape(name)}' is a link that leads out of the dataset to {escape(place)}; put a "
            "copy in its place, or list the images in a CSV whose '# root: ' is a folder that holds both"
        )
    return Path(place)


def why_missing(path: Path) -> str:
    """Say why there is no file behind a path: nothing has the name, or a link leads to nothing."""
    if not path.is_symlink():
        return "no such file"
    if STORED.search(os.path.realpath(path)):
        return "a link into a store that lacks the content; fetch it, as by dvc pull or git annex get"
    return "a link to nothing; mend it or take it away"


def read_file(path: Path, offset: int, size: int | None, *, follow: bool = True) -> bytes:
    """Read a regular file or part of it, without waiting for a pipe's other end."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        raise ImageError(_reason(error), error.strerror or "cannot be opened") from None
    try:
        return _read_open(descriptor, offset, size)
    except OSError as error:
        raise ImageError("unreadable", error.strerror or "cannot be read") from None
    finally:
        os.close(descriptor)


def _read_open(descriptor: int, offset: int, size: int | None) -> bytes:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise ImageError("not a file", "a folder, a pipe or a device")
    wanted = status.st_size - offset if size is None else size
    if wanted > MOST_BYTES:
        raise ImageError("too large", f"{wanted} bytes, more than {MOST_BYTES}")
    data = os.pread(descriptor, wanted, offset)
    if len(data) < wanted:
        raise ImageError("changed", f"the file ended after {len(data)} of {wanted} bytes")
    return data


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "missing"
    return "unreadable" if isinstance(error, PermissionError) else "not a file"


def _read_below(root: Path, name: str, *, source: str) -> bytes:
    """Read a file below `root`; a link is resolved first, and must not lead out."""
    folder, _, file = name.rpartition("/")
    place = _folder(root, folder, source) / file
    try:
        return read_file(place, 0, None, follow=False)
    except ImageError as error:
        if error.reason != "not a file":
            raise
    return read_file(locate(root, name, source=source), 0, None)


@lru_cache(maxsize=4096)
def _folder(root: Path, name: str, source: str) -> Path:
    return locate(root, name, source=source)


def _read_member(place: Path, name: str) -> bytes:
    with _indexing:
        found = _index(place, place.stat().st_mtime_ns).get(name)
    if found is None:
        raise ImageError("missing", f"no such member in {place.name}")
    if found.offset < 0:
        raise ImageError("not a file", "a link or a device in the tar file")
    return read_file(place, found.offset, found.size)


@lru_cache(maxsize=8)
def _index(path: Path, _changed: int) -> dict[str, Member]:
    return index(path)


def csv_root(path: Path) -> Path:
    """Return the folder that a CSV's paths are relative to: its own, or the one its first lines name.

    Raises
    ------
    UserError
        If there is no such folder.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    given = csv_settings(head.decode(csv_encoding(head), "replace")).get("root", "")
    real = path.resolve()
    # In a store of content the CSV has no neighbours.
    own = path.absolute() if STORED.search(str(real)) else real
    root = own.parent / unescape(given)
    if not root.is_dir():
        raise UserError(f"{path}: '# root: {escape(given)}': no such folder; give the one of its paths")
    return root.resolve()


def csv_encoding(head: bytes) -> str:
    """Return how a CSV is encoded: UTF-8, or UTF-16 where it begins with its mark, as Excel may write it."""
    return "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"


def csv_settings(head: str) -> dict[str, str]:
    """Return the ``# name: value`` lines before the header of a CSV."""
    settings = {}
    for line in head.splitlines():
        if not line.startswith("#"):
            break
        name, _, value = line[1:].partition(":")
        settings[name.strip().lower()] = value.strip()
    return settings
