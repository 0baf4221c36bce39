import pytest

from pipeline.numerics.geometry import ReceptiveField, whole


def test_a_box_follows_start_stride_and_size():
    field = ReceptiveField(size=(195, 190), stride=(32, 16), start=(-66, -5), status="exact")
    assert field.seen((0, 0)) == ((-66, -5), (129, 185))
    assert field.seen((2, 5)) == ((-2, 75), (193, 265))


def test_what_is_known_to_the_pixel_goes_before_the_box():
    rows, columns = ((0, 2), (1, 4), (0, 0)), ((0, 3), (2, 5))
    field = ReceptiveField((3, 3), (1, 1), (-1, -1), "exact", rows, columns)
    assert field.seen((1, 0)) == ((1, 0), (4, 3))
    assert field.seen((2, 0)) == ((0, 0), (0, 0))


@pytest.mark.parametrize("status", ["global", "unknown"])
def test_neurons_that_see_all(status):
    field = whole((20, 30), status)
    assert field.is_whole
    assert field.seen((3, 4)) == ((0, 0), (20, 30))


@pytest.mark.parametrize(("size", "larger"), [((21, 31), True), ((20, 31), False), ((20, 30), False)])
def test_a_field_exceeds_the_input_when_it_is_larger_both_ways(size, larger):
    assert ReceptiveField(size, (1, 1), (0, 0), "exact").exceeds((20, 30)) is larger
