"""Cutting a manifest into shards, and naming each by its content."""

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import maximum_filter1d

# Depth and hash together stay exact in the double precision that SciPy's filter computes in: 8 + 44 bits.
DEEPEST = 255
HASH_BITS = 44
PATHS_AT_ONCE = 65_536


@dataclass(frozen=True)
class Rows:
    """A run of the manifest's rows, `start` to `stop` (exclusive)."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


def cut(paths: Sequence[str], *, mean: int, largest: int, groups: Sequence[str] | None = None) -> list[Rows]:
    """Rows a sorted list of images into shards whose ends depend on their neighbourhood alone.

    Between two neighbours lies a separator: the part that their paths share and the next character,
    as between the keys of a B-tree (Bayer & Unterauer 1977, prefix B-trees). A shorter separator is
    stronger, so that folders and tens come before single files; a hash decides among equally long
    ones. A shard ends where the separator is the strongest of those at most ``mean // 2`` places away
    (local-maximum chunking; Bjørner, Blass & Gurevich 2010). An image that is added leaves all
    separators and brings a single one, a weak one as a rule, so it disturbs only the shard that it
    falls into. Shards have at least ``mean // 2`` images, except at the ends of a group; a longer one
    than `largest` is halved at the strongest separator of its middle.

    Parameters
    ----------
    paths
        Paths in the order of the manifest.
    mean
        The mean number of images in a shard, >= 1.
    largest
        The largest number of images in a shard, >= `mean`.
    groups
        A name for each image, such as its tar file; a shard never spans two.

    Returns
    -------
    list of Rows
        Non-empty, in order, covering every row once.
    """
    strengths = _separator_strengths(paths)
    shards: list[Rows] = []
    for start, stop in _runs(groups, len(paths)):
        shards += _cut_run(strengths, Rows(start, stop), mean // 2, largest)
    return shards


def shard_key(image_digests: Sequence[str], recipe: str) -> str:
    """Return the name of a shard's content: a hash of its images' digests and of how they are processed.

    Parameters
    ----------
    image_digests
        The sha256 of each image file, in order.
    recipe
        The digest of all else that decides the bytes: weights, parameters, core, versions, device.
    """
    content = hashlib.sha256(recipe.encode())
    for image in image_digests:
        content.update(bytes.fromhex(image))
    return content.hexdigest()[:32]


def _separator_strengths(paths: Sequence[str]) -> np.ndarray:
    """Return the strength of the separator before each image, int64[N]; 0 at the first and between equals."""
    encoded = [path.encode("utf-8") for path in paths]
    strengths = np.zeros(len(encoded), dtype=np.int64)
    for start in range(1, len(encoded), PATHS_AT_ONCE):
        part = encoded[start - 1 : start + PATHS_AT_ONCE]
        for row, shared in enumerate(_shared_lengths(part), start):
            if encoded[row] != encoded[row - 1]:
                depth = DEEPEST - min(shared, DEEPEST - 1)
                strengths[row] = (depth << HASH_BITS) | _hash(encoded[row][: shared + 1])
    return strengths


def _shared_lengths(paths: Sequence[bytes]) -> list[int]:
    """Return how many bytes each path shares with the one before it, from the second path on."""
    padded = np.array(paths, dtype=np.bytes_)
    width = padded.dtype.itemsize
    letters = padded.view(np.uint8).reshape(len(paths), width)
    # A column that differs ends the search in paths that are equal up to the padding.
    differs = np.ones((len(paths) - 1, width + 1), dtype=bool)
    np.not_equal(letters[1:], letters[:-1], out=differs[:, :width])
    return differs.argmax(axis=1).tolist()


def _hash(text: bytes) -> int:
    digest = hashlib.blake2b(text, digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - HASH_BITS)


def _runs(groups: Sequence[str] | None, count: int) -> list[tuple[int, int]]:
    if groups is None:
        return [(0, count)] if count else []
    starts = [row for row in range(count) if row == 0 or groups[row] != groups[row - 1]]
    return list(zip(starts, [*starts[1:], count], strict=True))


def _cut_run(strengths: np.ndarray, run: Rows, reach: int, largest: int) -> list[Rows]:
    # What separates the run from the one before is no place to cut inside of it.
    own = np.concatenate([[0], strengths[run.start + 1 : run.stop]])
    strongest = maximum_filter1d(own.astype(np.float64), 2 * reach + 1, mode="constant", cval=0.0)
    inner = np.flatnonzero((strongest == own) & (own > 0)) + run.start
    shards: list[Rows] = []
    for start, stop in itertools.pairwise([run.start, *inner.tolist(), run.stop]):
        shards += _halve(strengths, Rows(start, stop), largest)
    return shards


def _halve(strengths: np.ndarray, part: Rows, largest: int) -> list[Rows]:
    if len(part) <= largest:
        return [part]
    quarter = max(1, len(part) // 4)
    middle = strengths[part.start + quarter : part.stop - quarter + 1]
    start = part.start + quarter + int(np.argmax(middle))
    return _halve(strengths, Rows(part.start, start), largest) + _halve(
        strengths, Rows(start, part.stop), largest
    )
