"""Data for pages that look things up: a page opened from disk may load scripts, and nothing else.

A script calls ``convatlas.put(name, value)``; what would be large is cut into shards, of which a page loads
the one that it needs. A shard is a list of pairs: as names of an object's members, some names would not do.
"""

import json
import os
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


def write_names(report: Path, name: str, names: Sequence[str]) -> int:
    """Write names into shards of consecutive ones, and return how many shards there are.

    A shard is one list: of each name how many code units of UTF-16 it shares with the one before, and the
    rest.

    Parameters
    ----------
    report
        The report's folder.
    name
        Of the shards; their numbers follow.
    names
        Ascending: what neighbours share is written once.
    """
    shards: list[list[Any]] = []
    room, before = 0, ""
    for one in names:
        shared = os.path.commonprefix((before, one)) if room > 0 else ""
        rest = one[len(shared) :]
        if (size := len(_json(rest)) + 7) > room:
            shards.append([])
            room, shared, rest = LARGEST - len(name) - 40, "", one
            size = len(_json(rest)) + 7
        shards[-1] += [len(shared.encode("utf-16-le", "surrogatepass")) // 2, rest]
        room, before = room - size, one
    for index, shard in enumerate(shards):
        write_script(report, f"{name}/{index}", shard)
    return len(shards)


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
