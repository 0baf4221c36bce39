"""The pool that keeps finished shards."""

import os
import time
from contextlib import suppress
from pathlib import Path

from pipeline.store.replacing import linked

POOL_VARIABLE = "CONVATLAS_SHARDS"
DEFAULT_POOL = Path(".shards")


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
        """Put a file of the pool into `folder` without copying its bytes where the file system allows.

        One that is there already is the same: shards of equal images have one name.
        """
        target = folder / source.name
        with suppress(FileExistsError):
            linked(source, target)
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
