"""Data for pages that look things up: a page opened from disk may load scripts, and nothing else.

A script calls ``convatlas.put(name, value)``; what would be large is cut into shards, of which a page loads
the one that it needs. A shard is a list of pairs: as names of an object's members, some names would not do.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LARGEST = 200_000  # bytes of a shard
FOLDER = "data"


def write_script(report: Path, name: str, value: Any) -> None:
    """Write a value as a script, ``data/<name>.js``."""
    path = report / FOLDER / f"{name}.js"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"convatlas.put({_json(name)},{_json(value)});\n", encoding="ascii")


def write_runs(report: Path, name: str, records: Sequence[tuple[int, Any]]) -> list[int]:
    """Write numbered records into shards of consecutive ones.

    Parameters
    ----------
    report
        The report's folder.
    name
        Of the shards; their numbers follow.
    records
        Number and value, ascending.

    Returns
    -------
    list of int
        The first number in each shard.
    """
    runs: list[list[tuple[int, Any]]] = []
    room = 0
    for number, value in records:
        size = len(_json(value)) + len(str(number)) + 4
        if size > room:
            runs.append([])
            room = LARGEST - len(name) - 40
        runs[-1].append((number, value))
        room -= size
    for index, run in enumerate(runs):
        write_script(report, f"{name}/{index}", run)
    return [run[0][0] for run in runs]


def write_buckets(report: Path, name: str, records: Mapping[str, Any]) -> int:
    """Write named records into shards by a hash of the name, and return how many shards there are."""
    sizes = {key: len(_json(key)) + len(_json(value)) + 4 for key, value in records.items()}
    count = max(1, -(-sum(sizes.values()) * 3 // (2 * LARGEST)))
    while count < len(records) and max(_filled(sizes, count)) > LARGEST - len(name) - 40:
        count += count // 2 + 1
    buckets: list[list[tuple[str, Any]]] = [[] for _ in range(count)]
    for key, value in records.items():
        buckets[bucket(key, count)].append((key, value))
    for index, content in enumerate(buckets):
        write_script(report, f"{name}/{index}", content)
    return count


def bucket(name: str, count: int) -> int:
    """Return the shard of a name: FNV-1a over the code units of UTF-16, as scripts have them."""
    found = 0x811C9DC5
    units = name.encode("utf-16-le", "surrogatepass")
    for low, high in zip(units[::2], units[1::2], strict=True):
        found = ((found ^ (low | high << 8)) * 0x01000193) & 0xFFFFFFFF
    return found % count


def _filled(sizes: Mapping[str, int], count: int) -> list[int]:
    filled = [0] * count
    for key, size in sizes.items():
        filled[bucket(key, count)] += size
    return filled


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
