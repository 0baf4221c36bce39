"""Points moved to the cells of a full grid."""

from itertools import permutations

import numpy as np
import pytest

from pipeline.analyses.embedding.grid import (
    assign_grid,
    grid_size,
    nearest_unused,
    scale_to_unit,
)


def squared_displacement(xy, cells, size, rows=slice(None)):
    return ((scale_to_unit(xy)[rows] - (cells + 0.5) / size) ** 2).sum()


@pytest.mark.parametrize(("count", "seed"), [(7, 0), *((5, seed) for seed in range(30))])
def test_equals_the_best_of_all_assignments(count, seed):
    xy = np.random.default_rng(seed).normal(size=(count, 2))
    grid = assign_grid(xy, 100)
    size = (grid.columns, grid.rows)
    cells = np.array([(column, row) for row in range(grid.rows) for column in range(grid.columns)])
    cost = np.array([[squared_displacement(xy, cell, size, row) for cell in cells] for row in range(count)])
    orders = np.array(list(permutations(range(len(cells)), count)))
    assert squared_displacement(xy, grid.cell, size) == pytest.approx(cost[range(count), orders].sum(1).min())


@pytest.mark.parametrize(
    ("count", "size"), [(1, (1, 1)), (2, (2, 1)), (9, (3, 3)), (10, (4, 3)), (1797, (43, 42))]
)
def test_size_of_the_grid(count, size):
    assert grid_size(count) == size


@pytest.mark.parametrize("count", [1, 2, 37, 100, 333])
@pytest.mark.parametrize("block", [4, 30, 1000])
def test_every_point_has_its_own_cell_within_the_grid(count, block):
    xy = np.random.default_rng(0).normal(size=(count, 2)) ** 3
    grid = assign_grid(xy, block)
    assert len({tuple(cell) for cell in grid.cell.tolist()}) == count
    assert (grid.cell >= 0).all()
    assert (grid.cell < (grid.columns, grid.rows)).all()
    assert (grid.blocks == 1) == (grid.columns * grid.rows <= block)


def test_points_that_lie_on_a_grid_stay():
    places = np.array([(x, y) for y in range(8) for x in range(8)])
    mixed = np.random.default_rng(2).permutation(places)
    for block in (64, 8):
        np.testing.assert_array_equal(assign_grid(mixed * 2.5 - 7, block).cell, mixed)


def test_displacement_is_the_mean_distance_to_the_cells():
    grid = assign_grid(np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]), 4)
    assert grid.displacement == pytest.approx(np.hypot(0.25, 0.25))


def test_blocks_cost_little():
    xy = np.random.default_rng(5).normal(size=(400, 2))
    assert assign_grid(xy, 50).displacement < 1.5 * assign_grid(xy, 400).displacement


def test_equal_points_still_get_cells_of_their_own():
    grid = assign_grid(np.zeros((10, 2)), 3)
    assert len({tuple(cell) for cell in grid.cell.tolist()}) == 10


def test_each_cell_takes_the_nearest_unused_point():
    xy = np.random.default_rng(3).normal(size=(23, 2))
    (columns, rows), unit = grid_size(23), scale_to_unit(xy)
    unused, moved = set(range(23)), []
    for cell in range(23):
        middle = (np.array(divmod(cell, columns)[::-1]) + 0.5) / (columns, rows)
        distance = {point: float(np.linalg.norm(unit[point] - middle)) for point in unused}
        nearest = min(distance, key=lambda point: distance[point])
        moved.append(distance[nearest])
        unused.remove(nearest)
    assert nearest_unused(xy) == pytest.approx(np.mean(moved))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("block", [64, 2048])
def test_assignment_moves_points_less_than_nearest_unused(seed, block):
    rng = np.random.default_rng(seed)
    xy = rng.normal(size=(6, 2))[rng.integers(0, 6, 500)] * 4 + rng.normal(size=(500, 2))
    assert assign_grid(xy, block).displacement < 0.9 * nearest_unused(xy)
