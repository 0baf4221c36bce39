"""The graph of the artifacts: what each was made from, drawn from left to right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from graphlib import TopologicalSorter
from pathlib import PurePosixPath
from typing import Any

from pipeline.report.provenance import Artifact

# What an artifact names itself by is not what others name it by.
NAMES = {"activations/index.h5": "activations", "activations/second_ranking.h5": "second_ranking"}
# Every artifact has been made by parameters.
LEFT_OUT = {"params"}
# Lengths of the drawing, pixels.
WIDTH, HEIGHT, BESIDE, BELOW = 118, 28, 22, 7
# Sweeps that bring what is joined to one height.
SWEEPS = 8


def artifact_graph(artifacts: Sequence[Artifact]) -> dict[str, Any]:
    """Return the drawing of what was made from what.

    A line leads from each artifact to those that were made from it, unless a longer way leads there too:
    nearly all are made from the manifest. What is no artifact, such as the dataset, stands at the left.

    Returns
    -------
    dict
        ``width``, ``height``; ``nodes`` with name, stage (empty for what is no artifact) and place;
        ``lines``, SVG paths.
    """
    made_from = {name_of(one.name): set(one.digests) - LEFT_OUT for one in artifacts}
    stages = {name_of(one.name): one.stage for one in artifacts}
    for source in sorted(set().union(*made_from.values()) - set(made_from)):
        made_from[source] = set()
    # Each behind all that it was made from.
    order = list(TopologicalSorter(made_from).static_order())
    edges = _nearest(order, made_from)
    columns = _ordered(_columns(order, made_from), edges)
    most = max(map(len, columns), default=1)
    # Each column in the middle, so that lines are short.
    place = {
        name: (column * (WIDTH + BESIDE), (2 * row + most - len(names)) * (HEIGHT + BELOW) // 2)
        for column, names in enumerate(columns)
        for row, name in enumerate(names)
    }
    return {
        "width": len(columns) * (WIDTH + BESIDE) - BESIDE,
        "height": most * (HEIGHT + BELOW) - BELOW,
        "box": (WIDTH, HEIGHT),
        "nodes": [
            {"name": name, "stage": stages.get(name, ""), "x": x, "y": y} for name, (x, y) in place.items()
        ],
        "lines": [
            _line(place[source], place[name]) for name in sorted(edges) for source in sorted(edges[name])
        ],
    }


def name_of(file: str) -> str:
    """Return what digests call an artifact."""
    return NAMES.get(file, PurePosixPath(file).stem)


def _nearest(order: Sequence[str], made_from: Mapping[str, Set[str]]) -> dict[str, Set[str]]:
    """Return of each artifact what it was made from and no other of these was."""
    nearest: dict[str, Set[str]] = {}
    ancestors: dict[str, Set[str]] = {}
    for name in order:
        farther: Set[str] = set().union(*(ancestors[source] for source in made_from[name]))
        nearest[name] = made_from[name] - farther
        ancestors[name] = made_from[name] | farther
    return nearest


def _columns(order: Sequence[str], made_from: Mapping[str, Set[str]]) -> list[list[str]]:
    """Return names by the length of the longest way that leads to them."""
    depth: dict[str, int] = {}
    for name in order:
        depth[name] = 1 + max((depth[source] for source in made_from[name]), default=-1)
    columns: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name in sorted(depth):
        columns[depth[name]].append(name)
    return columns


def _ordered(columns: list[list[str]], edges: Mapping[str, Set[str]]) -> list[list[str]]:
    """Sort columns by the mean height of what their members are joined to, left to right, some times."""
    joined: dict[str, set[str]] = {name: set(sources) for name, sources in edges.items()}
    for name, sources in edges.items():
        for source in sources:
            joined[source].add(name)
    for _ in range(SWEEPS):
        height = {name: row - len(column) / 2 for column in columns for row, name in enumerate(column)}
        columns = [
            sorted(column, key=lambda name: (_mean([height[one] for one in joined[name]]), name))
            for column in columns
        ]
    return columns


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _line(start: tuple[int, int], end: tuple[int, int]) -> str:
    x0, y0 = start[0] + WIDTH, start[1] + HEIGHT // 2
    x1, y1 = end[0], end[1] + HEIGHT // 2
    bend = BESIDE // 2
    return f"M{x0} {y0}C{x0 + bend} {y0} {x1 - bend} {y1} {x1} {y1}"
