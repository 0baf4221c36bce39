import csv

import numpy as np
import pytest

from pipeline.contents.values import Evidence
from pipeline.contents.writing import SectionDraft
from pipeline.figures.correspondence_course import Everything, error_numbers, plain_rows, plots
from pipeline.formats.correspondence import ALL, open_correspondence
from tests.small import correspondence as small
from tests.small.pages import title_of

LAYERS = {"conv": small.layer(18), "deep": small.layer(9)}
PATCHES = {2: small.matched(14), 4: small.matched(16)}


@pytest.fixture
def everything(tmp_path):
    with open_correspondence(small.write(tmp_path / "correspondence.h5", LAYERS)) as found:
        yield Everything(found, LAYERS, PATCHES)


def test_the_best_are_those_with_the_largest_share(everything):
    assert (everything.best, everything.best_patch) == ("conv", 4)
    assert Everything(everything.found, LAYERS, {}).best_patch is None
    assert everything.as_good == 1
    assert Everything(everything.found, {"a": small.layer(9), "b": small.layer(9)}, {}).as_good == 2


def test_whoever_stays_is_off_by_how_far_the_point_moved(everything):
    np.testing.assert_allclose(everything.staying, 1)
    assert plain_rows(everything)[-1][1][0] == 0 and plain_rows(everything)[-1][1][3] == 1


def test_the_data_have_a_line_a_layer_and_yardstick(everything, tmp_path):
    section = SectionDraft("correspondence", tmp_path / "section")
    section.folder.mkdir()
    figures = plots(section, everything, Evidence(n=3))
    assert [figure.id for figure in figures] == ["shares", "errors"]
    assert all((section.folder / figure.image).is_file() for figure in figures)
    with (section.folder / "course.csv").open() as file:
        rows = {(row["what"], row["layer"]): row for row in csv.DictReader(file)}
    assert float(rows["network", "conv"]["pck"]) == pytest.approx(18 / 24)
    assert float(rows["network, interior points", "conv"]["median_error"]) == 0.5
    assert float(rows["random weights", "deep"]["median_error"]) == 1
    assert float(rows["patches of 2 pixels", ""]["pck"]) == pytest.approx(14 / 24)
    assert float(rows["a neuron of the field", "conv"]["median_error"]) == 2
    assert rows["nearest neuron", "conv"]["pck"] == ""


def with_median(*estimate):
    """A layer of this median error and interval."""
    layer = small.layer(9)
    layer.matched.median[ALL] = estimate
    return layer


@pytest.mark.parametrize(
    ("layers", "title"),
    [
        (
            {"conv": with_median(1.25, 1, 1.5), "deep": with_median(4, 3, 5), "last": with_median(3, 2, 4)},
            "Median error from 1.25 pixels in conv to 4.00 in deep",
        ),
        (
            {"conv": with_median(1.25, 1, 3), "deep": with_median(4, 3, 5)},
            "The layers of the smallest and of the largest median error are not clearly apart",
        ),
        (
            {"conv": with_median(1, np.nan, np.nan), "deep": with_median(4, np.nan, np.nan)},
            "The layers of the smallest and of the largest median error are not clearly apart",
        ),
        (
            {"conv": with_median(1.25, 1, 1.5)},
            "In conv points are off by 1.25 pixels in the median (1.00–1.50)",
        ),
        ({"conv": with_median(1, np.nan, np.nan)}, "In conv points are off by 1.00 pixels in the median"),
    ],
)
def test_errors_are_compared_in_the_title_where_intervals_bear_it(everything, layers, title):
    numbers = error_numbers(Everything(everything.found, layers, {}))
    assert title_of("correspondence", "errors", {"best": next(iter(layers)), **numbers}) == title
