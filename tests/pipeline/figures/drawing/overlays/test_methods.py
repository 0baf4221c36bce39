import numpy as np
import pytest

from pipeline.figures.drawing.overlays.methods import (
    ADDED_UP,
    GAP,
    SIDE,
    TITLES,
    added_up,
    block_of,
    draw_columns,
    draw_panels,
    image_panel,
    panel_of,
)
from pipeline.figures.drawing.overlays.overlay import ABOVE, BELOW

PICTURE = np.full((4, 6, 3), 100, np.uint8)
VALUES = np.zeros((4, 6, 3), np.float32)
VALUES[1, 2] = (1, -3, 0)
VALUES[2, 5] = (0.75, 0.75, 0)


def test_a_gradient_is_as_bright_as_its_largest_channel():
    panel = panel_of("saliency", VALUES, PICTURE)
    assert panel.pixels[1, 2].tolist() == [255] * 3
    assert panel.pixels[2, 5].tolist() == pytest.approx([64] * 3, abs=2)
    assert panel.pixels[0, 0].tolist() == [0] * 3


def test_a_signal_keeps_its_colours_about_grey():
    panel = panel_of("deconvnet", VALUES, PICTURE)
    red, green, blue = panel.pixels[1, 2].tolist()
    assert green < blue == 128 < red
    assert panel.pixels[0, 0].tolist() == [128] * 3


def test_what_speaks_against_the_class_is_blue():
    panel = panel_of("integrated_gradients", VALUES, PICTURE)
    against, for_ = (panel.pixels[place].astype(float) for place in ((1, 2), (2, 5)))
    assert np.abs(against - BELOW).sum() < np.abs(against - ABOVE).sum()
    assert np.abs(for_ - ABOVE).sum() < np.abs(for_ - BELOW).sum()
    assert panel.signed and not panel_of("grad_cam", np.abs(VALUES[..., :1]), PICTURE).signed


@pytest.mark.parametrize("channels", [1, 3])
def test_panels_of_all_methods_lie_in_lines_of_two(channels):
    picture = PICTURE[..., :channels]
    panels = [image_panel(picture)] + [
        panel_of(method, VALUES[..., : 1 if method == "grad_cam" else channels], picture) for method in TITLES
    ]
    canvas = draw_panels(panels)
    assert canvas.width == 2 * (SIDE + GAP)
    assert canvas.image().size == (canvas.width, canvas.height)


def test_four_images_method_by_method_fit_a_phone():
    panels = [image_panel(PICTURE)] + [
        panel_of(method, VALUES[..., : 1 if method == "grad_cam" else 3], PICTURE) for method in TITLES
    ]
    canvas = draw_columns([(name, panels) for name in ("one", "two", "three", "a name that is long")])
    assert canvas.width <= 340
    assert canvas.image().size == (canvas.width, canvas.height)
    texts = [one.text for one in canvas.elements if hasattr(one, "text")]
    assert texts[:7] == ["Image", *TITLES.values()] and texts[-1] == "a name th…"


def test_a_map_of_zeros_says_so():
    panel = panel_of("smoothgrad", np.zeros_like(VALUES), PICTURE)
    assert panel.full == 0
    texts = [getattr(one, "text", "") for one in draw_panels([panel]).elements]
    assert "zero everywhere" in texts


@pytest.mark.parametrize(("shape", "block"), [((32, 32), 1), ((64, 48), 1), ((224, 224), 4), ((65, 20), 2)])
def test_squares_grow_with_the_image(shape, block):
    assert block_of(shape) == block


def test_what_adds_up_is_summed_over_squares_and_those_at_the_end_are_cut():
    values = np.arange(15, dtype=np.float32).reshape(3, 5)
    sums = added_up(values, 2)
    assert sums.shape == (3, 5)
    assert sums[0, 0] == sums[1, 1] == 0 + 1 + 5 + 6
    assert sums[2, 4] == 14 and sums[0, 4] == 4 + 9
    np.testing.assert_array_equal(added_up(values, 1), values)


def test_only_integrated_gradients_of_a_large_image_are_added_up():
    values = np.zeros((128, 128, 3), np.float32)
    values[5, 5] = 1
    picture = np.zeros((128, 128, 3), np.uint8)
    coloured = [(panel_of(one, values, picture).pixels.max(-1) > 100).sum() for one in ("saliency", ADDED_UP)]
    assert coloured == [1, 4]
