import re
from dataclasses import replace

import numpy as np
import pytest

from pipeline.contents.parts import Scene
from pipeline.contents.writing import SectionDraft
from pipeline.figures.drawing.rings import LONGEST, rings_path
from pipeline.figures.outlines import LayerOutlines, add_outlines
from pipeline.figures.whole_images import Placed
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.outlines import About, OutlinedLayer, new_outlines, open_outlines
from pipeline.formats.status import not_run
from pipeline.numerics.geometry import ReceptiveField, whole

INPUT = (32, 64)
FIELD = ReceptiveField((9, 9), (4, 4), (-1, -1), "exact")
LARGE = ReceptiveField((80, 80), (4, 4), (-37, -38), "exact")
# The network's input is the image from x 10 on, at half of its size; the whole image is shown at a quarter.
BOX = np.array([[10, 0, 138, 64]], np.float32)
PLACED = Placed(place=0, width=32, height=16, scale=0.25, x=-2.5, y=0.0)


def outlined(geometry, ungated, units=2):
    half = np.arange(units) == 1
    level = np.float32([0.5] * units)
    return OutlinedLayer(
        geometry,
        ungated,
        "output",
        level,
        half,
        np.ones_like(level),
        np.arange(units) * 3,
        np.full((units, 2), [5, -1]),
    )


@pytest.fixture
def path(tmp_path):
    maps = np.zeros((2, 2, 8, 16), np.float16)
    maps[0, 0, 2, 5] = 1
    layers = {
        "exact": (outlined(LayerGeometry((8, 16), FIELD), None), maps),
        "gated": (outlined(LayerGeometry((8, 16), whole(INPUT, "global")), FIELD), maps),
        "large": (outlined(LayerGeometry((8, 16), whole(INPUT, "global")), LARGE), maps),
        "head": (outlined(LayerGeometry((1, 1), whole(INPUT, "global")), None), maps[..., :1, :1]),
    }
    with new_outlines(tmp_path / "outlines.h5", About(tuple(layers), 40, INPUT), made_from={}) as writer:
        writer.put_images(np.array([5]), BOX)
        for name, (layer, values) in layers.items():
            writer.put_layer(name, layer, values)
    return tmp_path / "outlines.h5"


def scenes(path, layer, row=0):
    given = [Scene(image=0, value=1.0, box=(0, 0, 9, 9)), Scene(value=0.5, box=(0, 0, 0, 0))]
    with open_outlines(path) as source:
        position = np.array([[2, 5], [0, 0]], np.uint16)
        return LayerOutlines(source, layer).add(given, [PLACED, None], position, row)


def points(path):
    """Return the corners of a path's only ring, in pixels."""
    (x, y), *steps = np.reshape([int(one) for one in re.findall(r"-?\d+", path)], (-1, 2))
    return np.cumsum([(x, y), *steps], axis=0) / 2


def test_the_outline_lies_about_the_neuron_s_centre_in_the_whole_image(path):
    first, lost = scenes(path, "exact")
    found = points(first.outline)
    # The centre of position (2, 5) is (11.5, 23.5) in the input, there 0.5 to a pixel of the whole image.
    np.testing.assert_allclose((found.min(0) + found.max(0)) / 2, (11.75, 5.75), atol=0.5)
    np.testing.assert_allclose(np.ptp(found, axis=0), 2, atol=0.6)
    assert (first.ungated, first.point, lost.outline) == (None, None, None)


def test_nothing_above_the_level_gives_an_empty_outline(path):
    assert scenes(path, "exact", row=1)[0].outline == ""


def test_after_gates_the_field_without_them_is_framed(path):
    first, _ = scenes(path, "gated")
    # Position (2, 5) sees rows 7 to 16 and columns 19 to 28 of the input.
    assert first.ungated == (9.5, 3.5, 14.0, 8.0)
    assert first.point is None
    assert first.outline == scenes(path, "exact")[0].outline


def test_where_even_that_field_is_larger_than_the_image_its_middle_is_marked(path):
    first, _ = scenes(path, "large")
    # Position (2, 5) sees rows -29 to 51 and columns -18 to 62 of the input.
    assert first.ungated == (0.0, 0.0, 31.0, 16.0)
    assert first.point == (11.0, 5.5)


def test_a_layer_of_one_position_has_no_outline(path):
    assert scenes(path, "head")[0].outline is None


def test_the_section_tells_each_unit_s_level_and_which_kind_it_is(path, tmp_path):
    section = SectionDraft("outlines", tmp_path)
    with open_outlines(path) as source:
        add_outlines(section, source, 100)
    content = section.content()
    assert [layer.layer for layer in content.layers] == ["exact", "gated", "large"]
    assert [unit.facts for unit in content.layers[0].units] == [(0.5, None), (None, 0.5)]
    assert content.layers[0].facts[0].value == (1, 2)
    numbers = {"sample": 40, "sampled": 1, "layers": 3, "units": 6, "counted": 3, "units_at_half": 3}
    assert numbers.items() <= content.numbers.items()


def test_neurons_above_a_unit_s_own_level_are_counted_on_its_images_alone(tmp_path):
    maps = np.zeros((2, 2, 8, 16), np.float16)
    # A quarter of the first unit's neurons on its only image; of the place without one nothing counts.
    maps[0, 0, :4, :8], maps[0, 1] = 1, 9
    with new_outlines(tmp_path / "outlines.h5", About(("exact",), 40, INPUT), made_from={}) as writer:
        writer.put_images(np.array([5]), BOX)
        writer.put_layer("exact", outlined(LayerGeometry((8, 16), FIELD), None), maps)
    section = SectionDraft("outlines", tmp_path)
    with open_outlines(tmp_path / "outlines.h5") as source:
        add_outlines(section, source, 100)
    (figure,) = section.content().blocks
    # The other unit is cut at half of its maximum.
    assert figure.evidence.n == 1
    lines = (tmp_path / "above.csv").read_text().splitlines()
    assert [line for line in lines[1:] if not line.endswith(",0")] == ["exact,0.24,0.26,1"]


def test_rounding_lifts_nothing_above_the_level(tmp_path):
    # A unit that puts out little else than its level: as float16 it lies above it.
    level = np.float32([0.3, 0.5])
    assert np.float16(level[0]) > level[0]
    layer = replace(outlined(LayerGeometry((8, 16), FIELD), None), level=level)
    with new_outlines(tmp_path / "outlines.h5", About(("exact",), 40, INPUT), made_from={}) as writer:
        writer.put_images(np.array([5]), BOX)
        writer.put_layer("exact", layer, np.full((2, 2, 8, 16), level[0], np.float16))
    section = SectionDraft("outlines", tmp_path)
    with open_outlines(tmp_path / "outlines.h5") as source:
        add_outlines(section, source, 100)
    assert (tmp_path / "above.csv").read_text().splitlines()[1] == "exact,0,0.02,1"


def test_the_section_without_data_says_why(tmp_path):
    section = SectionDraft("outlines", tmp_path)
    add_outlines(section, not_run("outlines"), 100)
    assert section.content().reason == "params.yaml says outlines.run: false"


def test_a_path_is_no_longer_than_the_page_can_bear():
    rng = np.random.default_rng(0)
    angle = np.linspace(0, 2 * np.pi, 40)
    star = np.stack([np.cos(angle), np.sin(angle)], 1) * np.where(np.arange(40) % 2, 3, 1)[:, None]
    star[-1] = star[0]
    rings = [star * size + rng.random(2) * 120 for size in rng.uniform(0.5, 2, 400)]
    path = rings_path(rings)
    assert 0 < len(path) <= LONGEST
    assert re.fullmatch(r"(M\d+ \d+l[-\d ]+z)+", path.replace("M-", "M"))


def test_a_speck_is_left_out():
    assert rings_path([np.array([[3, 3], [3.1, 3], [3.1, 3.1], [3, 3]])]) == ""
