import numpy as np
import pytest

from pipeline.analyses.humans.trials import Trial, draw_trials, find_trials
from pipeline.formats.contrasts import ContrastKind
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.patches import DrawnLayer
from pipeline.formats.topk import RankedLayer
from pipeline.numerics.geometry import ReceptiveField

GEOMETRY = LayerGeometry((4, 4), ReceptiveField((3, 3), (1, 1), (0, 0), "exact"))
UNITS, RANKS, SHOWN = 4, 5, 3


def ranked(**changed):
    value = np.tile(np.arange(RANKS, 0, -1, dtype=np.float32), (UNITS, 1))
    image_id = np.tile(np.arange(RANKS), (UNITS, 1)) + 10 * np.arange(UNITS)[:, None]
    box = np.zeros((UNITS, RANKS, 4), np.float32) + image_id[..., None]
    arrays = {"value": value, "image_id": image_id, "box": box, "duplicate": np.zeros((UNITS, RANKS), bool)}
    arrays |= changed
    count = np.full(UNITS, 9)
    return RankedLayer(
        GEOMETRY, arrays["value"], arrays["image_id"], np.zeros((UNITS, RANKS, 2), np.uint16), arrays["box"],
        count, count, arrays["duplicate"],
    )  # fmt: skip


def drawn(unit, image_id):
    shape, count = image_id.shape, np.zeros(len(unit), np.int64)
    return DrawnLayer(
        GEOMETRY, UNITS, 0, np.ones(shape, np.float32), image_id, np.zeros((*shape, 2), np.uint16),
        np.zeros((*shape, 4), np.float32), count, unit, count, count,
    )  # fmt: skip


def weakest(image_id, value=0.1):
    image_id = np.asarray(image_id)
    values = np.where(image_id < 0, -np.inf, np.float32(value)).astype(np.float32)
    shape = image_id.shape
    return ContrastKind(values, image_id, np.zeros((*shape, 2), np.uint16), np.zeros((*shape, 4), np.float32))


def found(layer=None, unit=2, shown=(20, 21, 22), weak=(90, 91), **changed):
    images = np.array([shown])
    return list(
        find_trials("conv", drawn(np.array([unit]), images), layer or ranked(), weakest([weak], **changed))
    )


def test_the_strong_image_is_the_first_that_is_not_shown():
    (one,) = found()
    assert (one.layer, one.unit, one.row, one.nine) == ("conv", 2, 0, 3)
    assert (one.strong, one.box, one.weak, one.place) == (23, (23.0,) * 4, 90, 0)


def test_what_was_given_to_the_network_already_is_passed_over():
    duplicate = np.zeros((UNITS, RANKS), bool)
    duplicate[2, 3] = True
    assert found(ranked(duplicate=duplicate))[0].strong == 24
    duplicate[2, 4] = True
    assert found(ranked(duplicate=duplicate)) == []


def test_neither_is_among_those_that_are_shown():
    (one,) = found(shown=(20, 23, 21), weak=(21, 22, 91))
    assert (one.strong, one.weak, one.place) == (22, 91, 2)


@pytest.mark.parametrize(
    "changed", [{"weak": (-1, -1)}, {"weak": (23, 21)}, {"shown": (20, 21, -1)}, {"value": 2.0}]
)
def test_a_unit_without_images_enough_is_not_asked_about(changed):
    assert found(**changed) == []


def test_an_image_that_does_not_activate_the_unit_is_not_strong():
    value = np.zeros((UNITS, RANKS), np.float32)
    value[:, :3] = 1
    assert found(ranked(value=value)) == []


def trials(layer, count):
    return [Trial(layer, unit, unit, 9, 1, (0.0,) * 4, 2, 0, strong_left=True) for unit in range(count)]


def test_sides_are_balanced_in_each_layer_and_over_all():
    given = {name: trials(name, 9) for name in "abcde"}
    for seed in range(5):
        asked = draw_trials(given, 5, seed)
        assert len(asked) == 25
        for name in given:
            mine = [one.strong_left for one in asked if one.layer == name]
            assert len(mine) == 5 and sum(mine) in (2, 3)
            assert len({one.unit for one in asked if one.layer == name}) == 5
        assert sum(one.strong_left for one in asked) in (12, 13)


def test_the_same_seed_asks_the_same_and_another_another():
    given = {name: trials(name, 9) for name in "ab"}
    assert draw_trials(given, 4, 3) == draw_trials(given, 4, 3) != draw_trials(given, 4, 4)
    assert {one.layer for one in draw_trials(given, 4, 0)[:4]} == {"a", "b"}
