"""The section of projections, on projections made by hand of a small dataset's patches."""

import csv

import numpy as np
import pytest
from PIL import Image

from pipeline.contents.reading import read_section
from pipeline.formats.patches import open_patches
from pipeline.formats.projections import ProjectedUnit, new_projections
from stages import patches, render_patches, topk
from tests.small.atlas import make
from tests.small.pages import page_of

K = 3
METHODS = ("deconvnet", "guided_backprop")
# Of a tile: 16 pixels four times, and a gap.
SIDE, STEP = 64, 68
RENDER = render_patches.Params(units=2)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("atlas")
    paths = make(folder)
    topk.run(topk.Params(k=K, margin=3), paths | {"out": paths["topk"]})
    params = patches.Params(units=4, layers=("*",), side=16, seed=0)
    patches.run(params, paths | {"out": paths["patches"]})
    return paths


def projected(ids, alike, across, largest=2, *, sign=-1):
    """A unit whose deconvnet is bright in its upper half; guided backpropagation is that with a sign."""
    half = np.zeros((len(ids), 4, 4, 3), np.float16)
    half[:, :2] = 1
    filled = ids >= 0

    def both(value):
        return {method: np.where(filled, np.float32(value), np.float32(np.nan)) for method in METHODS}

    return ProjectedUnit(
        ids, np.where(filled[:, None], np.uint16([4, 4]), np.uint16(0)), np.where(filled, 1, -1),
        maps={"deconvnet": half, "guided_backprop": sign * half},
        others={"deconvnet": -half[0], "guided_backprop": half[0]},
        largest=both(largest), alike=both(alike), across=both(across),
    )  # fmt: skip


def estimate(alike, across, half=0.05):
    return [[value, value - half, value + half] for value in (alike, across, alike - across)]


def draw(made, folder, comparison, refused=None, largest=2, **how):
    """Write projections of features.0, and return the section that is drawn of them."""
    with open_patches(made["patches"]) as source:
        layer = source.layer("features.0")
    rows = np.flatnonzero((layer.image_id >= 0).any(1))
    with new_projections(folder / "projections.h5", made_from={}) as writer:
        units = (projected(layer.image_id[row], 0.8, 0.3, largest, **how) for row in rows)
        writer.put_layer("features.0", layer.unit[rows], units)
        for method in METHODS:
            writer.put_comparison(method, np.float64([comparison, comparison]))
        writer.put_about(METHODS, K, refused or {})
    changed = {"projections": folder / "projections.h5", "out": folder / "figures"}
    render_patches.run(RENDER, made | changed)
    return read_section(folder / "figures/projections").content


def picture(folder, part, strip):
    with Image.open(folder / "figures/projections" / part.sheets[strip.sheet].file) as image:
        box = (strip.x, strip.y, strip.x + strip.width, strip.y + strip.height)
        return np.asarray(image.convert("RGB").crop(box))


def rows_of(folder, part):
    """The lines of the table by unit."""
    with (folder / "figures/projections" / part.data).open() as file:
        rows = list(csv.DictReader(file))
    return {
        unit: [row for row in rows if int(row["unit"]) == unit]
        for unit in sorted({int(r["unit"]) for r in rows})
    }


def test_units_have_strips_in_the_order_of_their_patches(made, tmp_path):
    section = draw(made, tmp_path, estimate(0.8, 0.3))
    (part,) = section.layers
    assert part.layer == "features.0"
    rows = rows_of(tmp_path, part)
    for unit in part.units:
        captions = [strip.caption for strip in unit.strips]
        assert captions == ["unit-deconvnet", "unit-guided_backprop", "unit-other"]
        for strip, (upper, lower) in zip(unit.strips, [(255, 128), (1, 128)], strict=False):
            pixels = picture(tmp_path, part, strip)
            for number in range(len(rows[unit.unit])):
                # In a square, as the page has the patches: two in a line.
                top, left = number // 2 * STEP + 1, number % 2 * STEP + 1
                tile = pixels[top : top + SIDE, left : left + SIDE]
                assert abs(int(np.median(tile[: SIDE // 2 - 4])) - upper) < 4
                assert abs(int(np.median(tile[SIDE // 2 + 4 :])) - lower) < 4
        assert unit.facts == pytest.approx((0.8, 0.3, 0.8, 0.3), rel=1e-5)


def test_other_unit_stands_beside_the_first_place(made, tmp_path):
    section = draw(made, tmp_path, estimate(0.8, 0.3))
    (part,) = section.layers
    pixels = picture(tmp_path, part, part.units[0].strips[2])
    assert pixels.shape[:2] == (SIDE + 2, 5 * STEP - 2)
    halves = [pixels[4 : SIDE // 2 - 4, 1 + n * STEP : 1 + n * STEP + SIDE] for n in range(1, 5)]
    uppers = [int(np.median(half)) for half in halves]
    np.testing.assert_allclose(uppers, [255, 1, 1, 255], atol=4)


def test_numbers_of_every_projection_are_in_the_table(made, tmp_path):
    section = draw(made, tmp_path, estimate(0.8, 0.3))
    (part,) = section.layers
    rows = [row for unit in rows_of(tmp_path, part).values() for row in unit]
    assert len(rows) == part.blocks[0].evidence.n > 3
    assert {float(row["alike_deconvnet"]) for row in rows} == {0.8}
    assert rows[0]["other_unit"] == "1" and rows[0]["path"].endswith(".png")


@pytest.mark.parametrize(
    ("comparison", "image", "unit"),
    [(estimate(0.8, 0.3), 1, 0), (estimate(0.3, 0.8), 0, 1), (estimate(0.5, 0.52), 0, 0)],
)
def test_words_claim_what_the_interval_bears(made, tmp_path, comparison, image, unit):
    section = draw(made, tmp_path, comparison)
    assert (section.numbers["deconvnet_image"], section.numbers["deconvnet_unit"]) == (image, unit)
    text = page_of(tmp_path / "figures/projections", tmp_path)
    assert ("tell more of the image than of the unit;" in text) is bool(image)
    assert ("where they tell more of the unit." in text) is bool(unit)
    assert "they hardly change with the image" not in text


def test_projections_that_do_not_change_with_the_image_are_called_so(made, tmp_path):
    draw(made, tmp_path, estimate(0.4, 0.99, 0.001))
    page = page_of(tmp_path / "figures/projections", tmp_path)
    assert "they hardly change with the image" in page and "plain gradient" not in page


def test_where_no_rule_acts_the_plain_gradient_is_called_so(made, tmp_path):
    section = draw(made, tmp_path, estimate(0.4, 0.99, 0.001), sign=1)
    assert (section.numbers["ruleless"], section.numbers["ruleless_names"]) == (1, "features.0")
    page = page_of(tmp_path / "figures/projections", tmp_path)
    assert "In features.0 both methods give the same" in page and "plain gradient" in page


def test_without_intervals_nothing_is_claimed(made, tmp_path):
    draw(made, tmp_path, [[value, np.nan, np.nan] for value in (0.8, 0.3, 0.5)])
    text = page_of(tmp_path / "figures/projections", tmp_path)
    assert "two units on one image:" in text and "is clearly" not in text


def test_without_any_comparison_there_is_no_plot(made, tmp_path):
    section = draw(made, tmp_path, np.full((3, 3), np.nan))
    assert [block.kind for block in section.blocks] == ["units"]
    assert "two units on one image:" not in page_of(tmp_path / "figures/projections", tmp_path)


@pytest.mark.parametrize(("largest", "silent"), [(2, False), (0, True)])
def test_units_of_which_nothing_comes_back_are_counted(made, tmp_path, largest, silent):
    section = draw(made, tmp_path, estimate(0.8, 0.3), largest=largest)
    numbers = section.layers[0].blocks[0].numbers
    assert numbers["silent"] == (numbers["shown"] if silent else 0)
    assert ("nothing comes back" in page_of(tmp_path / "figures/projections", tmp_path)) is silent


def test_layers_without_projections_are_listed(made, tmp_path):
    draw(made, tmp_path, estimate(0.8, 0.3), {"features.1": "features.1: silu is no rectifier"})
    assert "silu is no rectifier" in page_of(tmp_path / "figures/projections", tmp_path)


def test_left_out_they_say_so(made, tmp_path):
    render_patches.run(RENDER, made | {"out": tmp_path / "figures"})
    assert "params.yaml says projections.run: false" in page_of(tmp_path / "figures/projections", tmp_path)
