"""Top-k against a brute-force ranking."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

from pipeline.topk.ranking import add_shard, merge_topk
from pipeline.topk.streaming import TopK


def brute_force(values, ids, positions, k):
    """Rank each unit with Python's own sort."""
    units = values.shape[1]
    value, image_id = np.full((units, k), -np.inf, np.float32), np.full((units, k), -1)
    position = np.zeros((units, k, 2), np.uint16)
    for unit in range(units):
        order = sorted(range(len(ids)), key=lambda row: (-values[row, unit], ids[row]))[:k]
        value[unit, : len(order)] = values[order, unit]
        image_id[unit, : len(order)] = ids[order]
        position[unit, : len(order)] = positions[order, unit]
    return value, image_id, position


def check(topk, values, ids, positions):
    value, image_id, position = brute_force(values, ids, positions, topk.k)
    np.testing.assert_array_equal(topk.value, value)
    np.testing.assert_array_equal(topk.image_id, image_id)
    np.testing.assert_array_equal(topk.position, position)
    np.testing.assert_array_equal(topk.count_active, (values > 0).sum(axis=0))
    np.testing.assert_array_equal(topk.count_at_maximum, (values == values.max(axis=0)).sum(axis=0))


def batches(count, rng) -> Iterator[slice]:
    cuts = np.unique([0, *rng.integers(0, count + 1, rng.integers(0, 6)), count])
    return (slice(a, b) for a, b in pairwise(cuts))


def distinct(rng, n, units):
    return rng.permutation(n * units).reshape(n, units).astype(np.float32)


def tied(rng, n, units):
    return rng.integers(-2, 3, (n, units)).astype(np.float32)


def sparse(rng, n, units):
    return np.maximum(rng.standard_normal((n, units)) - np.linspace(0, 4, units), 0).astype(np.float32)


def constant(rng, n, units):
    return np.zeros((n, units), np.float32)


def ascending(rng, n, units):
    return np.repeat(np.arange(n, dtype=np.float32)[:, None], units, axis=1)


def clustered(rng, n, units):
    """Large values in every 8th row only, which defeats the cheap bound of dealt-out groups."""
    values = rng.random((n, units)).astype(np.float32)
    values[::8] += 1
    return values


def infinite(rng, n, units):
    return rng.choice(np.array([-np.inf, np.inf, -0.0, 0.0], np.float32), (n, units))


KINDS = [distinct, tied, sparse, constant, ascending, clustered, infinite]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(12))
def test_any_batching_order_and_merging_gives_the_brute_force_ranking(kind, seed):
    rng = np.random.default_rng(seed)
    n, units, k = rng.integers(1, 300), rng.integers(1, 6), rng.integers(1, 9)
    values = kind(rng, n, units)
    ids = rng.permutation(3 * n)[:n].astype(np.int64)
    if seed % 2:
        ids.sort()
    positions = rng.integers(0, 13, (n, units, 2)).astype(np.uint16)
    parts = [TopK(k) for _ in range(3)]
    for rows in batches(n, rng):
        parts[rng.integers(3)].add(values[rows], ids[rows], positions[rows])
    rng.shuffle(parts)
    check(TopK(k).merge(parts[0].merge(parts[1])).merge(parts[2]), values, ids, positions)


@pytest.mark.parametrize("seed", range(6))
def test_outputs_come_along_and_are_what_is_counted(seed):
    rng = np.random.default_rng(seed)
    inputs, ids = distinct(rng, 90, 3) / 90, np.arange(90)
    outputs = np.clip(inputs, 0, 2).astype(np.float32)
    parts = [TopK(4) for _ in range(2)]
    for rows in batches(90, rng):
        positions = np.zeros((len(ids[rows]), 3, 2), np.uint16)
        parts[rng.integers(2)].add(inputs[rows], ids[rows], positions, outputs[rows])
    found = TopK(4).merge(parts[0]).merge(parts[1])
    value, image_id, _ = brute_force(inputs, ids, np.zeros((90, 3, 2), np.uint16), 4)
    np.testing.assert_array_equal(found.value, value)
    np.testing.assert_array_equal(found.image_id, image_id)
    np.testing.assert_array_equal(found.output, np.take_along_axis(outputs.T, image_id, 1))
    np.testing.assert_array_equal(found.count_active, (outputs > 0).sum(0))
    np.testing.assert_array_equal(found.count_at_maximum, (outputs == outputs.max(0)).sum(0))


def test_outputs_are_for_all_images_or_for_none():
    values, positions = np.ones((1, 2), np.float32), np.zeros((1, 2, 2), np.uint16)
    topk = TopK(1).add(values, np.array([0]), positions)
    with pytest.raises(ValueError, match="outputs for all images or for none"):
        topk.add(values, np.array([1]), positions, values)
    with pytest.raises(ValueError, match="outputs of the values' shape"):
        TopK(1).add(values, np.array([1]), positions, values[:, :1])


def test_more_rows_than_one_block_rank_the_same():
    rng = np.random.default_rng(3)
    values, ids = tied(rng, 9000, 3), np.arange(9000)
    positions = rng.integers(0, 9, (9000, 3, 2)).astype(np.uint16)
    check(TopK(5).add(values, ids, positions), values, ids, positions)


def test_every_active_image_is_counted_however_many():
    values, ids = np.ones((1000, 2), np.float32), np.arange(1000)
    values[::4, 1] = -1
    topk = TopK(1).add(values, ids, np.zeros((1000, 2, 2), np.uint16))
    assert topk.count_active.tolist() == [1000, 750]


def test_merging_leaves_the_other_as_it_is():
    one, two = (
        TopK(1).add(np.full((1, 1), v, np.float32), np.array([v]), np.zeros((1, 1, 2), np.uint16))
        for v in (1, 2)
    )
    one.merge(two)
    one.add(np.full((1, 1), 9, np.float32), np.array([9]), np.zeros((1, 1, 2), np.uint16))
    assert two.value.tolist() == [[2]]
    assert one.value.tolist() == [[9]]


def test_empty_slots_are_told_by_image_id():
    topk = TopK(3).add(np.array([[-1.0]], np.float32), np.array([7]), np.array([[[2, 5]]], np.uint16))
    assert topk.value.tolist() == [[-1, -np.inf, -np.inf]]
    assert topk.image_id.tolist() == [[7, -1, -1]]
    assert topk.position.tolist() == [[[2, 5], [0, 0], [0, 0]]]
    assert topk.count_active.tolist() == [0]


def test_nan_is_refused_with_unit_and_image():
    values = np.zeros((20, 4), np.float32)
    values[13, 2] = np.nan
    topk = TopK(2)
    with pytest.raises(ValueError, match="unit 2 is NaN for image 113"):
        topk.add(values, np.arange(100, 120), np.zeros((20, 4, 2), np.uint16))
    assert topk.count_active.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("values", "ids", "positions"), [((3,), 3, (3, 1, 2)), ((3, 2), 2, (3, 2, 2)), ((3, 2), 3, (3, 2))]
)
def test_wrong_shapes_are_refused(values, ids, positions):
    with pytest.raises(ValueError, match="must have values"):
        TopK(1).add(np.zeros(values, np.float32), np.arange(ids), np.zeros(positions, np.uint16))


def test_impossible_arguments_are_refused():
    with pytest.raises(ValueError, match="k=0"):
        TopK(0)
    with pytest.raises(ValueError, match="image_ids >= 0"):
        TopK(1).add(np.zeros((1, 1), np.float32), np.array([-1]), np.zeros((1, 1, 2), np.uint16))
    full = TopK(1).add(np.zeros((1, 1), np.float32), np.array([0]), np.zeros((1, 1, 2), np.uint16))
    with pytest.raises(ValueError, match="must have 1 units as before, got 2"):
        full.add(np.zeros((1, 2), np.float32), np.array([1]), np.zeros((1, 2, 2), np.uint16))
    with pytest.raises(ValueError, match="cannot merge top-2 into top-1"):
        full.merge(TopK(2))


@dataclass
class Shard:
    image_id: np.ndarray
    layers: dict

    def maxima(self, layer):
        return self.layers[layer]


def test_shards_ranked_apart_merge_to_the_whole():
    rng = np.random.default_rng(5)
    values, ids = tied(rng, 90, 4), np.arange(90)
    positions = rng.integers(0, 9, (90, 4, 2)).astype(np.uint16)
    parts = []
    for a, b in ((0, 31), (31, 33), (33, 90)):
        parts.append({"x": TopK(6)})
        shard = Shard(ids[a:b], {"x": (values[a:b], positions[a:b])})
        add_shard(parts[-1], shard)
    check(merge_topk(reversed(parts))["x"], values, ids, positions)
