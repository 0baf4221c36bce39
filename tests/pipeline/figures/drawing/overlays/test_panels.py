import numpy as np

from pipeline.figures.drawing.canvas import Label, Rectangle
from pipeline.figures.drawing.overlays.panels import SIDE, Panels, by_pixel, draw

PICTURE = np.full((8, 8, 3), 100, np.uint8)
STARTS = np.array([0, 2, 4])
FALL = np.zeros((3, 3))
FALL[2, 1] = 0.5


def panels(**changed):
    plain = {"labels": np.full((3, 3), -1), "rise": np.zeros((3, 3)), "scales": (0.5, 0.1)}
    colour = changed.pop("colour", (10.0, 20.0, 30.0))
    return Panels(PICTURE, 4, STARTS, STARTS, colour, FALL, **plain | changed)


def test_each_place_is_drawn_about_its_middle():
    found = by_pixel(np.arange(9.0).reshape(3, 3), panels(), np.nan)
    # Middles lie at 2, 4 and 6; the outermost pixel is nearer to the edge than half a step.
    assert np.isnan(found[0]).all() and np.isnan(found[:, 7]).all()
    assert found[4, 1:7].tolist() == [3, 3, 4, 4, 5, 5]


def test_square_is_framed_where_the_fall_is_largest():
    canvas = draw(panels())
    (frame,) = [one for one in canvas.elements if isinstance(one, Rectangle)]
    image = canvas.elements[1]
    scale = SIDE / 8
    assert (frame.x0 - image.x, frame.y0 - image.y) == (2 * scale, 4 * scale)
    assert frame.x1 - frame.x0 == 4 * scale
    middle = image.pixels[int(6 * scale), int(4 * scale)]
    assert middle.tolist() == [10, 20, 30]


def test_a_fill_that_is_no_colour_is_framed_alone():
    image = draw(panels(colour=None)).elements[1]
    assert (image.pixels == 100).all()


def test_other_labels_have_colours_and_numbers():
    labels = np.full((3, 3), -1)
    labels[0] = 0
    labels[1, 1] = 1
    texts = [one.text for one in draw(panels(labels=labels)).elements if isinstance(one, Label)]
    assert "1" in texts and "2" in texts and "the same everywhere" not in texts
    texts = [one.text for one in draw(panels()).elements if isinstance(one, Label)]
    assert "the same everywhere" in texts
