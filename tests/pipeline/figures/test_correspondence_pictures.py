import csv

import numpy as np
import pytest
from PIL import Image

from pipeline.contents.writing import SectionDraft
from pipeline.figures.correspondence_pictures import GAP, LINE, SIDE, panel, stack, view
from pipeline.formats.correspondence import open_correspondence
from tests.small import correspondence as small
from tests.small.probes import PICTURES

PHONE = 390 - 2 * 28  # pixels: what a plate leaves of a narrow page
MATCHED = small.matched(9, tied=2)


@pytest.fixture
def section(tmp_path):
    section = SectionDraft("correspondence", tmp_path / "section")
    section.folder.mkdir()
    return section


@pytest.fixture
def found(tmp_path):
    with open_correspondence(small.write(tmp_path / "correspondence.h5", {"conv": small.layer(9)})) as found:
        yield found


def pixels(section, figure):
    return np.asarray(Image.open(section.folder / figure.image).convert("RGB")).astype(float)


def tile(drawn, x, y):
    return drawn[y : y + SIDE, x : x + SIDE].reshape(8, SIDE // 8, 8, SIDE // 8, 3)


def test_the_image_is_on_the_left_and_its_warp_on_the_right(section, found):
    figure = panel(section, found, view(found, PICTURES[1], 1), MATCHED, "typical", "conv")
    drawn = pixels(section, figure)
    for x, expected in ((1, PICTURES[1]), (1 + SIDE + GAP, PICTURES[1][::-1])):
        # Lines lie over less than half of most enlarged pixels, and WebP loses a little of noise.
        seen = np.median(tile(drawn, x, 1), axis=(1, 3))
        assert np.median(np.abs(seen - expected)) < 12


def test_right_points_are_counted_and_all_are_in_the_data(section, found):
    figure = panel(section, found, view(found, PICTURES[1], 1), MATCHED, "typical", "conv")
    assert (figure.numbers["right"], figure.numbers["count"], figure.evidence.n) == (1, 4, 4)
    with (section.folder / figure.data).open() as file:
        points = list(csv.DictReader(file))
    assert [int(row["right"]) for row in points] == [1, 0, 0, 0]
    np.testing.assert_allclose([float(row["true_y"]) for row in points], small.VIEWS.true[8:12, 0], rtol=1e-5)


def test_right_and_wrong_differ_in_colour_and_dashes_and_what_ties_has_no_line(section, found):
    vectors = []
    for right in (24, 0):
        figure = panel(
            section, found, view(found, PICTURES[0], 0), small.matched(right, tied=2), "one", "conv"
        )
        vectors.append((section.folder / figure.vector).read_text())
    assert "#4c86d8" in vectors[0] and "stroke-dasharray" not in vectors[0]
    assert "#e0702a" in vectors[1] and "stroke-dasharray" in vectors[1] and "#4c86d8" not in vectors[1]
    # Two lines of four points, besides two points that are joined with themselves.
    lines = next(line for line in vectors[0].splitlines() if "#4c86d8" in line)
    assert lines.count("M") == 2


def test_layers_stand_under_each_other(section, found):
    shown = view(found, PICTURES[0], 0, small=True)
    figure = stack(section, found, shown, [("conv", MATCHED), ("deep", small.matched(2))], "own")
    # Eight pixels become 144, eighteen times as many.
    assert (figure.height, figure.width) == (2 * (144 + LINE + 12) - 10, 2 * 144 + GAP + 2)
    assert figure.width <= PHONE
    assert (figure.numbers["most"], figure.numbers["fewest"]) == (4, 2)
    with (section.folder / figure.data).open() as file:
        assert [row["layer"] for row in csv.DictReader(file)] == ["conv"] * 4 + ["deep"] * 4
