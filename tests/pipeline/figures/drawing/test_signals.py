import numpy as np

from pipeline.figures.drawing.signals import ZERO, signal_overview, signal_strip, signal_tile


def test_zero_is_grey_and_signs_are_told_apart():
    values = np.zeros((2, 2, 3), np.float16)
    values[0, 0], values[1, 1, 2] = 1, -1
    tile = signal_tile(values, 4)
    assert (tile[:2, :2] == 255).all()
    assert tile[2:, 2:].tolist() == [[[ZERO, ZERO, 1]] * 2] * 2
    assert (tile[:2, 2:] == ZERO).all() and (tile[2:, :2] == ZERO).all()


def test_signal_that_is_not_square_lies_in_the_middle():
    tile = signal_tile(np.ones((2, 4, 1), np.float16), 8)
    assert (tile[2:6] == 255).all() and (tile[:2] == ZERO).all() and (tile[6:] == ZERO).all()


def test_few_large_values_leave_the_rest_to_be_seen():
    values = np.full((20, 20, 1), 0.001, np.float16)
    values[0, 0] = 1
    assert signal_tile(values, 20)[10, 10, 0] == 255


def test_nothing_is_grey_throughout():
    assert (signal_tile(np.zeros((3, 3, 3), np.float16), 6) == ZERO).all()
    assert (signal_tile(np.zeros((0, 0, 3), np.float16), 6) == ZERO).all()


def tiles(count, colour=200):
    return [np.full((96, 96, 3), colour, np.uint8)] * count


def test_strip_has_a_tile_beside_the_other():
    strip = signal_strip(tiles(3), 3)
    assert (strip.width, strip.height) == (3 * 100 - 4 + 2, 98)
    square = signal_strip(tiles(3), 2)
    assert (square.width, square.height) == (2 * 100 - 4 + 2,) * 2
    assert signal_strip(tiles(1), 3).width == 98


def test_overview_has_a_block_for_each_heading():
    headings = ["patches", "one", "two"]
    canvas = signal_overview([("unit 1", [tiles(9, 10), tiles(9, 20), tiles(9, 30)])] * 2, headings, "l", "n")
    pixels = [one for one in canvas.elements if hasattr(one, "pixels")]
    assert len(pixels) == 2 * 3 * 9
    for colour in (10, 20, 30):
        block = [(one.x, one.y) for one in pixels if (one.pixels == colour).all()]
        assert len({x for x, _ in block}) == 3 and len({y for _, y in block}) == 6
    assert all(
        one.x >= 1 and one.x + 56 <= canvas.width - 1 and one.y + 57 <= canvas.height for one in pixels
    )


def test_overview_of_units_with_fewer_places():
    canvas = signal_overview(
        [("unit 1", [tiles(2), tiles(2)]), ("unit 2", [tiles(0), tiles(0)])], ["a", "b"], "l", "n"
    )
    assert canvas.image().size == (canvas.width, canvas.height)
