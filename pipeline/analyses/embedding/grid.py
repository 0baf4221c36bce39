"""Points of a map moved to the cells of a full grid, each as little as can be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist


@dataclass(frozen=True)
class Grid:
    """Which cell each point has.

    Attributes
    ----------
    cell : (N, 2) int32
        Column and row; no cell is taken twice.
    columns, rows : int
        Size of the grid; ``columns * rows`` is N or the next number that fills the last row.
    displacement : float
        Mean distance from a point to the middle of its cell, in sides of the map (both axes scaled to 0 to
        1).
    blocks : int
        Blocks that were solved apart; 1 is the optimum over the whole grid.
    """

    cell: NDArray[np.int32]
    columns: int
    rows: int
    displacement: float
    blocks: int


def assign_grid(xy: NDArray[np.floating], largest_block: int) -> Grid:
    """Give each point a cell so that the sum of squared displacements is least.

    Optimal where the grid has no more than `largest_block` cells (linear assignment; Crouse 2016, as SciPy
    has it). A larger grid is halved across its longer side, again and again, the points going to the halves
    by their coordinate, until each block is small enough to be solved optimally.

    Parameters
    ----------
    xy
        (N, 2) N >= 1; each axis is scaled to 0 to 1 first.
    largest_block
        Most cells that one optimal assignment has: its time grows with the cube.
    """
    unit = scale_to_unit(xy)
    columns, rows = grid_size(len(xy))
    cell = np.empty((len(xy), 2), np.int32)
    waiting = [(np.arange(len(xy)), (0, 0, columns, rows))]
    blocks = 0
    while waiting:
        points, block = waiting.pop()
        if block[2] * block[3] > largest_block:
            waiting.extend(_halve(unit, points, block))
            continue
        blocks += 1
        cell[points] = _assign(unit[points], block, columns, rows)
    middle = (cell + 0.5) / (columns, rows)
    displacement = float(np.hypot(*(unit - middle).T).mean())
    return Grid(cell, columns, rows, displacement, blocks)


def nearest_unused(xy: NDArray[np.floating]) -> float:
    """Return the mean displacement where each cell, row by row, takes the nearest point that none has taken.

    That is how Karpathy's cnnembed fills its grid. The time grows with the square of the number of points.

    Parameters
    ----------
    xy
        (N, 2) N >= 1, as of `assign_grid`, whose grid it is.

    Returns
    -------
    float
        In sides of the map.
    """
    left = scale_to_unit(xy).T.copy()
    columns, rows = grid_size(len(xy))
    moved = 0.0
    for taken in range(len(xy)):
        unused = left[:, : len(xy) - taken]
        cell = np.array([[taken % columns + 0.5], [taken // columns + 0.5]]) / [[columns], [rows]]
        squared = ((unused - cell) ** 2).sum(axis=0)
        nearest = int(squared.argmin())
        moved += float(np.sqrt(squared[nearest]))
        unused[:, nearest] = unused[:, -1]
    return moved / len(xy)


def grid_size(count: int) -> tuple[int, int]:
    """Return columns and rows of the squarest grid that holds `count` points with the last row begun."""
    columns = int(np.ceil(np.sqrt(count)))
    return columns, -(-count // columns)


def scale_to_unit(xy: NDArray[np.floating]) -> NDArray[np.float64]:
    """Scale each axis of (N, 2) points to 0 to 1; an axis without extent becomes 0.5."""
    exact = np.asarray(xy, np.float64)
    low, extent = exact.min(axis=0), np.ptp(exact, axis=0)
    return np.where(extent > 0, (exact - low) / np.where(extent > 0, extent, 1.0), 0.5)


Block = tuple[int, int, int, int]


def _halve(
    unit: NDArray[np.float64], points: NDArray[np.int64], block: Block
) -> list[tuple[NDArray[np.int64], Block]]:
    """Cut a block (column, row, columns, rows) across its longer side; each half gets its share of points."""
    column, row, columns, rows = block
    if columns >= rows:
        axis, half = 0, columns // 2
        first, second = (column, row, half, rows), (column + half, row, columns - half, rows)
    else:
        axis, half = 1, rows // 2
        first, second = (column, row, columns, half), (column, row + half, columns, rows - half)
    capacity = (first[2] * first[3], second[2] * second[3])
    # Rounding cannot give either half more than its cells, since all points together have no more than all.
    count = round(len(points) * capacity[0] / sum(capacity))
    order = points[np.lexsort((points, unit[points, 1 - axis], unit[points, axis]))]
    return [(order[count:], second), (order[:count], first)]


def _assign(unit: NDArray[np.float64], block: Block, columns: int, rows: int) -> NDArray[np.int64]:
    """Return the (n, 2) column and row of each of n points within a block, optimally."""
    column, row, wide, high = block
    x, y = np.meshgrid(np.arange(column, column + wide), np.arange(row, row + high))
    cells = np.stack((x.ravel(), y.ravel()), axis=1)
    cost = cdist(unit, (cells + 0.5) / (columns, rows), "sqeuclidean")
    return cells[linear_sum_assignment(cost)[1]]
