import csv

import numpy as np
import pytest
from PIL import Image

from pipeline.contents.writing import SectionDraft
from pipeline.figures.inversion import SIDE, add_inversion, median
from pipeline.formats.inversion import open_inversion
from pipeline.formats.status import not_run
from tests.small import inversion as small
from tests.small.probes import PICTURED, PICTURES


def draw(folder, layers, *, shown=3, **how):
    section = SectionDraft("inversion", folder / "section")
    section.folder.mkdir(parents=True)
    with open_inversion(small.write(folder / "inversion.h5", layers, **how)) as found:
        add_inversion(section, found, PICTURED, shown=shown)
    return section.content()


@pytest.fixture
def content(tmp_path):
    return draw(tmp_path, {"conv": small.layer(), "code": small.layer(factor=2, kept=1)}, shown=2)


def test_every_probe_has_its_reconstructions_on_its_page(content, tmp_path):
    assert [(part.image_id, part.path) for part in content.images] == [
        (7, "a/7.png"),
        (2, "b/2.png"),
        (5, "c/5.png"),
    ]
    assert all((tmp_path / "section" / name).is_file() for name in content.files)
    assert [part.blocks[0].numbers["kept"] for part in content.images] == [2, 1, 1]


def test_the_image_comes_first_and_then_what_its_code_gave(content, tmp_path):
    figure = content.blocks[0]
    drawn = np.asarray(Image.open(tmp_path / "section" / figure.image).convert("RGB")).astype(float)
    assert content.numbers["shown"] == 2 and figure.evidence.n == 2
    width = (figure.width - 2 + 8) // 3
    for row in range(2):
        for column, expected in enumerate([PICTURES[row], *[255 - PICTURES[row]] * 2]):
            bottom = figure.height - 1 - (1 - row) * (SIDE + 8)
            x = 1 + column * width
            tile = drawn[bottom - SIDE : bottom, x : x + SIDE]
            seen = tile.reshape(8, SIDE // 8, 8, SIDE // 8, 3).mean((1, 3))
            # WebP loses a little of noise.
            assert np.abs(seen - expected).mean() < 12


def test_numbers_are_those_of_the_layers(content):
    numbers = content.numbers
    assert (numbers["least_layer"], numbers["most_layer"], numbers["rises"]) == ("conv", "code", 1)
    assert (numbers["least"], numbers["most"]) == pytest.approx((0.2, 0.4))
    assert (numbers["kept"], numbers["images"], numbers["silent"]) == (4, 6, 0)
    table = content.blocks[2]
    assert table.rows[1][2:5] == pytest.approx((0.4, 0.2, 0.8)) and table.rows[1][7] == (1, 3)
    assert [fact.value for fact in content.layers[0].facts] == [pytest.approx(0.2), (3, 3)]


def test_layers_are_named_whose_codes_are_met_no_better_than_by_other_images(content, tmp_path):
    assert content.numbers["lost"] == 0
    # Other codes are 2.2 away in the median, and those of the reconstructions 0.2 times the factor.
    worse = draw(tmp_path / "worse", {"conv": small.layer(), "code": small.layer(factor=12)})
    assert (worse.numbers["lost"], worse.numbers["lost_layers"]) == (1, "code")


@pytest.mark.parametrize(
    ("smoothness", "sixth_norm", "told"),
    [(10.0, 8e-10, (1, 1, 1)), (100.0, 8e-10, (1, 1, 0)), (10.0, 0.0, (1, 0, 0)), (0.0, 0.0, (0, 0, 0))],
)
def test_weights_are_said_to_be_the_paper_s_where_they_are(tmp_path, smoothness, sixth_norm, told):
    numbers = draw(tmp_path, {"conv": small.layer(smoothness=smoothness)}, sixth_norm=sixth_norm).numbers
    assert (numbers["smooth"], numbers["near"], numbers["as_published"]) == told


def test_the_data_have_a_line_a_layer_and_probe(content, tmp_path):
    with (tmp_path / "section/course.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["relative_error"]) for row in rows[:3]] == pytest.approx([0.1, 0.2, 0.4])
    assert {row["layer"] for row in rows} == {"conv", "code"}


def test_codes_of_zeros_are_counted_and_have_no_error(tmp_path):
    content = draw(tmp_path, {"conv": small.layer(), "code": small.layer(silent=3)})
    assert content.numbers["silent"] == 3 and "least" not in content.numbers
    assert content.blocks[2].rows[1][2:5] == (None, None, None)


def test_the_median_is_that_of_numbers():
    assert median(np.array([np.nan, 1, 3], np.float32)) == 2
    assert median(np.array([np.nan], np.float32)) is None


def test_what_was_not_run_says_so(tmp_path):
    section = SectionDraft("inversion", tmp_path)
    add_inversion(section, not_run("inversion"), PICTURED, shown=3)
    assert section.content().status == "not run"
