import csv

import numpy as np
import pytest

from pipeline.contents.values import Evidence
from pipeline.contents.writing import SectionDraft
from pipeline.figures.correspondence_course import Everything, plain_rows, plots
from pipeline.formats.correspondence import open_correspondence
from tests.small import correspondence as small

LAYERS = {"conv": small.layer(18), "deep": small.layer(9)}
PATCHES = {2: small.matched(14), 4: small.matched(16)}


@pytest.fixture
def everything(tmp_path):
    with open_correspondence(small.write(tmp_path / "correspondence.h5", LAYERS)) as found:
        yield Everything(found, LAYERS, PATCHES)


def test_the_best_are_those_with_the_largest_share(everything):
    assert (everything.best, everything.best_patch) == ("conv", 4)
    assert Everything(everything.found, LAYERS, {}).best_patch is None


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
