"""Cutting a manifest into shards, naming each by its content, and the pool that keeps finished ones.

`python -m pipeline.shards list` says what the pool holds; `python -m pipeline.shards empty` deletes it.
"""

import argparse
import hashlib
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import maximum_filter1d

POOL_VARIABLE = "CONVATLAS_SHARDS"
DEFAULT_POOL = Path(".shards")
# 48 bits stay exact in the double precision that SciPy's filter computes in.
HASH_BYTES = 6


@dataclass(frozen=True)
class Cut:
    """A run of the manifest's rows, `start` to `stop` (exclusive)."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


def cut(paths: Sequence[str], *, mean: int, largest: int, groups: Sequence[str] | None = None) -> list[Cut]:
    """Cut a sorted list of images into shards whose ends depend on their neighbourhood alone.

    An image ends a shard if the hash of its path is the largest among the images at most
    ``mean // 2`` places away (local-maximum chunking; Bjørner, Blass & Gurevich 2010). Whether it
    does cannot depend on anything farther off, so a change disturbs only the shards beside it.
    Shards have at least ``mean // 2`` images, except at the ends of a group; a longer one than
    `largest` is halved at the largest hash of its middle.

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
    list of Cut
        Non-empty, in order, covering every row once.
    """
    hashes = np.array([_path_hash(path) for path in paths], dtype=np.int64)
    cuts: list[Cut] = []
    for start, stop in _runs(groups, len(paths)):
        cuts += _cut_run(hashes, Cut(start, stop), mean // 2, largest)
    return cuts


def key(image_digests: Sequence[str], recipe: str) -> str:
    """Return the name of a shard's content: a hash of its images' digests and of how they are processed.

    Parameters
    ----------
    image_digests
        The sha256 of each image file, in order.
    recipe
        The digest of all else that decides the bytes: weights, parameters, source, versions, device.
    """
    content = hashlib.sha256(recipe.encode())
    for image in image_digests:
        content.update(bytes.fromhex(image))
    return content.hexdigest()[:32]


class ShardPool:
    """A folder of finished shards, named by content, outside of DVC's outputs.

    A shard in it is whole and right for its key; so a run that was killed resumes, and going back
    to earlier parameters costs nothing.

    Parameters
    ----------
    folder
        By default the environment variable ``CONVATLAS_SHARDS``, else ``.shards`` in the current folder.
        All workers must see it under the same path.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = (folder or Path(os.environ.get(POOL_VARIABLE) or DEFAULT_POOL)).resolve()

    def path(self, shard_key: str) -> Path:
        """Return where the shard of a key is, or will be."""
        return self.folder / f"part-{shard_key}.h5"

    def has(self, shard_key: str) -> bool:
        """Return whether the shard of a key is finished."""
        return self.path(shard_key).is_file()

    @staticmethod
    def link(source: Path, folder: Path) -> Path:
        """Put a file of the pool into `folder` without copying its bytes where the file system allows."""
        target = folder / source.name
        try:
            os.link(source, target)
        except OSError:
            # Another file system, or one without hard links.
            target.write_bytes(source.read_bytes())
        return target

    def files(self) -> list[Path]:
        """Return every file in the pool, finished or left over, sorted by name."""
        return (
            sorted(path for path in self.folder.glob("*") if path.is_file()) if self.folder.is_dir() else []
        )

    def empty(self, older_than_days: float = 0.0) -> tuple[int, int]:
        """Delete files that were last written before so many days; return how many, and their bytes."""
        limit = time.time() - older_than_days * 86400
        stale = [path for path in self.files() if path.stat().st_mtime <= limit]
        size = sum(path.stat().st_size for path in stale)
        for path in stale:
            path.unlink()
        return len(stale), size


def _path_hash(path: str) -> int:
    return int.from_bytes(hashlib.blake2b(path.encode("utf-8"), digest_size=HASH_BYTES).digest(), "big")


def _runs(groups: Sequence[str] | None, count: int) -> list[tuple[int, int]]:
    if groups is None:
        return [(0, count)] if count else []
    starts = [row for row in range(count) if row == 0 or groups[row] != groups[row - 1]]
    return list(zip(starts, [*starts[1:], count], strict=True))


def _cut_run(hashes: np.ndarray, run: Cut, reach: int, largest: int) -> list[Cut]:
    own = hashes[run.start : run.stop]
    peaks = maximum_filter1d(own.astype(np.float64), 2 * reach + 1, mode="constant", cval=-1.0) == own
    ends = (np.flatnonzero(peaks) + 1 + run.start).tolist()
    if not ends or ends[-1] != run.stop:
        ends.append(run.stop)
    cuts: list[Cut] = []
    for start, stop in zip([run.start, *ends[:-1]], ends, strict=True):
        cuts += _halve(hashes, Cut(start, stop), largest)
    return cuts


def _halve(hashes: np.ndarray, part: Cut, largest: int) -> list[Cut]:
    if len(part) <= largest:
        return [part]
    quarter = max(1, len(part) // 4)
    middle = hashes[part.start + quarter - 1 : part.stop - quarter]
    end = part.start + quarter + int(np.argmax(middle))
    return _halve(hashes, Cut(part.start, end), largest) + _halve(hashes, Cut(end, part.stop), largest)


def main(arguments: Sequence[str] | None = None) -> int:
    """List or empty the shard pool from the command line."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.shards", description=__doc__)
    parser.add_argument("action", choices=("list", "empty"))
    parser.add_argument("--pool", type=Path, help=f"its folder; else ${POOL_VARIABLE}, {DEFAULT_POOL}")
    parser.add_argument("--older-than", type=float, default=0.0, metavar="DAYS", help="only files so old")
    options = parser.parse_args(arguments)
    pool = ShardPool(options.pool)
    if options.action == "empty":
        count, size = pool.empty(options.older_than)
        print(f"{pool.folder}: deleted {count} files, {size / 1e6:.1f} MB")
        return 0
    for path in pool.files():
        print(f"{path.stat().st_size:>12}  {path.name}")
    size = sum(path.stat().st_size for path in pool.files())
    print(f"{pool.folder}: {len(pool.files())} files, {size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
