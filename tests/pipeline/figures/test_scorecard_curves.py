import numpy as np
from matplotlib.figure import Figure

from pipeline.figures.drawing.palette import LIGHT
from pipeline.figures.scorecard_curves import paint_courses, paint_likeness

SHARE = np.array([0, 0.5, 1])


def course(mean):
    value = np.linspace(mean, 0.1, 3)
    return np.stack([value, value - 0.05, value + 0.05], 1)


def test_both_ways_have_a_line_an_order_and_lots_alone_a_band():
    means = {name: (course(0.9), course(0.5)) for name in ("Occlusion", "From the middle", "By lot")}
    figure = Figure()
    paint_courses(figure, LIGHT, SHARE, means, ("From the middle", "By lot"))
    assert len(figure.axes) == 2
    for axes, first in zip(figure.axes, (90, 50), strict=True):
        assert [line.get_label() for line in axes.lines] == list(means)
        assert [line.get_linestyle() for line in axes.lines] == ["-", ":", "--"]
        np.testing.assert_allclose(axes.lines[0].get_ydata()[0], first)
        assert len(axes.collections) == 1


def test_likeness_shows_intervals_the_threshold_and_what_is_below_zero():
    lines = {"Occlusion": course(0.9), "Grad-CAM": course(-0.6)}
    figure = Figure()
    paint_likeness(figure, LIGHT, [(1, "fc"), (2, "conv2"), (4, "conv1")], lines, 0.5)
    (axes,) = figure.axes
    assert axes.lines[-2].get_ydata()[0] == 0.5
    assert axes.get_ylim()[0] < -0.65
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["1 layer,\ndown to fc", "2 layers,\ndown to conv2", "4 layers,\ndown to conv1"]
    assert [len(one.get_segments()) for one in axes.collections] == [3, 3]


def test_one_step_without_numbers_can_be_drawn():
    figure = Figure()
    paint_likeness(figure, LIGHT, [(4, "conv1")], {"Occlusion": np.full((1, 3), np.nan)}, 0.5)
    assert np.isfinite(figure.axes[0].get_ylim()).all()


def test_an_axis_of_small_probabilities_ends_above_them_and_begins_at_zero():
    figure = Figure()
    means = {"Occlusion": (course(0.15), course(0.12)), "By lot": (course(0.11), course(0.1))}
    paint_courses(figure, LIGHT, SHARE, means, ("From the middle", "By lot"))
    low, high = figure.axes[1].get_ylim()
    assert -1 < low < 0
    assert 20 < high < 21
