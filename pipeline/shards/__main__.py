"""The pool of finished shards.

`python -m pipeline.shards list` says what the pool holds; `python -m pipeline.shards empty` deletes it.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.shards.pool import DEFAULT_POOL, POOL_VARIABLE, ShardPool


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
