"""What was planted comes out: a network built by hand, whose units are known, in one run of everything.

Unit 0 answers to a red cross alone, where it stands; unit 1 never answers; units 2 and 3 are twins; unit 4 is
like none.
"""

import html
import re
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.contents.reading import read_section
from pipeline.formats.manifest import open_manifest
from pipeline.formats.outlines import open_outlines
from pipeline.formats.patches import open_patches
from pipeline.formats.projections import open_projections
from pipeline.formats.similar_units import read_similar_units
from pipeline.formats.topk import open_topk
from pipeline.formats.units import open_units
from tests.end_to_end.miniature import PARAMS
from tests.end_to_end.project import Project, make_project

PIXELS, SIDE, K = 24, 20, 3
RELU, POOL = "features.1", "features.2"
CROSS = np.zeros((5, 5), bool)
CROSS[2], CROSS[:, 2] = True, True
# The images that bear a cross, the brightest first: its middle (y, x) and its red.
PLANTED = {
    "17.png": ((6, 9), 255),
    "03.png": ((15, 4), 250),
    "08.png": ((11, 19), 245),
    "11.png": ((3, 12), 235),
}
# These lack some of it, and are not answered to.
BROKEN = {"05.png": (10, 10), "14.png": (18, 7)}
IMAGES = 20
BIAS = -7.5
SOURCE = """
import torch
from torch import nn

class Planted(nn.Module):
    def __init__(self, classes):
        super().__init__()
        conv, relu, pool = nn.Conv2d(3, 5, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2)
        self.features = nn.Sequential(conv, relu, pool)
        self.head = nn.Linear(5, classes)

    def forward(self, images):
        return self.head(self.features(images).amax((2, 3)))

def planted(classes): return Planted(classes)
"""
PLANTED_PARAMS: dict[str, Any] = PARAMS | {
    "dataset.max_bad_fraction": 0.0,
    "model.architecture": "inputs/network/planted.py:planted",
    "model.weights": "inputs/network/planted.pth",
    "model.preprocessing": {
        "input_size": PIXELS, "resize": None, "crop": "center", "mean": [0.0] * 3, "std": [1.0] * 3,
    },
    "topk.k": K, "patches.units": 5, "patches.side": SIDE, "outlines.sample": IMAGES, "projections.units": 5,
    "render_patches.units": 5, "predictions.bins": 2,
}  # fmt: skip


def picture(name):
    """Green and blue noise, without red but for a cross, or a part of one."""
    pixels = np.random.default_rng(int(name[:2])).integers(0, 90, (PIXELS, PIXELS, 3)).astype(np.uint8)
    pixels[..., 0] = 0
    if name in PLANTED:
        (y, x), red = PLANTED[name]
        pixels[y - 2 : y + 3, x - 2 : x + 3] = 0
        pixels[y - 2 : y + 3, x - 2 : x + 3, 0][CROSS] = red
    if name in BROKEN:
        y, x = BROKEN[name]
        pixels[y - 2 : y + 3, x - 2 : x + 1, 0][CROSS[:, :3]] = 255
    return pixels


NAMES = [f"{number:02}.png" for number in range(IMAGES)]


def path_of(name):
    return f"{'cross' if name in PLANTED else 'none'}/{name}"


def weights():
    random = np.random.default_rng(0)
    filters = np.zeros((5, 3, 5, 5), np.float32)
    filters[0] = -1
    filters[0, 0][CROSS] = 1
    filters[1] = -1
    filters[2:4, 1] = random.uniform(0, 0.1, (5, 5))
    filters[4, 2] = random.normal(0, 0.3, (5, 5))
    state = {"features.0.weight": filters, "features.0.bias": np.float32([BIAS, -0.5, 0, 0, 0.1])}
    state |= {
        "head.weight": np.float32([[1, 0, 0, 0, 0], [-1, 0, 0, 0, 0]]),
        "head.bias": np.float32([-0.1, 0.1]),
    }
    return {name: torch.as_tensor(value) for name, value in state.items()}


WEIGHTS = weights()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = make_project(tmp_path_factory.mktemp("planted") / "project", PARAMS)
    for old in (project.root / "pictures").rglob("*.*"):
        old.unlink()
    for name in NAMES:
        (project.root / "pictures" / path_of(name)).parent.mkdir(exist_ok=True)
        Image.fromarray(picture(name)).save(project.root / "pictures" / path_of(name))
    (project.root / "inputs/network/planted.py").write_text(SOURCE)
    torch.save(WEIGHTS, project.root / "inputs/network/planted.pth")
    (project.root / "inputs/classes/names.txt").write_text("cross\nnone\n")
    project.set_params(PLANTED_PARAMS)
    project.must("dvc", "repro")
    return project


@pytest.fixture(scope="module")
def ids(project):
    """Name to row of the manifest."""
    with open_manifest(project.root / "artifacts/manifest.h5") as manifest:
        paths = manifest.take_path(np.arange(IMAGES)).tolist()
    return {path.decode().rpartition("/")[2]: row for row, path in enumerate(paths)}


@pytest.fixture
def artifact(project):
    return lambda name: project.root / f"artifacts/{name}.h5"


def before_relu():
    """What enters the ReLU on all images by PyTorch alone, (N, 5, y, x)."""
    inputs = np.stack([picture(name) for name in NAMES]).transpose(0, 3, 1, 2) / np.float32(255)
    return torch.nn.functional.conv2d(
        torch.as_tensor(inputs), WEIGHTS["features.0.weight"], WEIGHTS["features.0.bias"], padding=2
    ).numpy()


def brightest():
    return list(PLANTED)[:K]


def test_top_images_are_those_with_the_pattern_at_its_place(artifact, ids):
    with open_topk(artifact("topk")) as found:
        layer = found.layer(RELU)
    assert layer.count_active[0] == len(PLANTED)
    for rank, (name, ((y, x), red)) in enumerate(PLANTED.items()):
        assert layer.image_id[0, rank] == ids[name]
        assert layer.position[0, rank].tolist() == [y, x]
        assert layer.value[0, rank] == pytest.approx(9 * red / 255 + BIAS, rel=1e-5)
        assert layer.box[0, rank].tolist() == [x - 2, y - 2, x + 3, y + 3]


def test_patches_are_the_pattern(artifact):
    with open_patches(artifact("patches")) as found:
        patches = found.patches(RELU, 0)
    for rank, name in enumerate(brightest()):
        (y, x), _ = PLANTED[name]
        pattern = picture(name)[y - 2 : y + 3, x - 2 : x + 3]
        assert set(np.unique(pattern[..., 0])) == {0, PLANTED[name][1]}
        enlarged = pattern.repeat(SIDE // 5, 0).repeat(SIDE // 5, 1)
        np.testing.assert_array_equal(patches.pixels[rank], enlarged)
        assert patches.mask[rank].all()


def test_maps_and_outlines_mark_its_place_alone(artifact, ids):
    with open_outlines(artifact("outlines")) as found:
        maps, layer = found.maps(RELU, 0), found.layer(RELU)
        assert layer.image_id[0].tolist() == [ids[name] for name in brightest()]
    for rank, name in enumerate(brightest()):
        (y, x), red = PLANTED[name]
        expected = np.zeros((PIXELS, PIXELS))
        expected[y, x] = 9 * red / 255 + BIAS
        np.testing.assert_allclose(maps[rank], expected, rtol=1e-3)


@pytest.mark.parametrize("method", ["deconvnet", "guided_backprop"])
def test_projections_are_the_pattern(artifact, ids, method):
    pattern = WEIGHTS["features.0.weight"][0].permute(1, 2, 0).numpy()
    with open_projections(artifact("projections")) as found:
        relu, pool = found.unit(RELU, 0), found.unit(POOL, 0)
    assert relu.image_id.tolist() == pool.image_id.tolist() == [ids[name] for name in brightest()]
    for rank, name in enumerate(brightest()):
        assert relu.extent[rank].tolist() == [5, 5]
        np.testing.assert_array_equal(relu.maps[method][rank], pattern)
        assert relu.largest[method][rank] == pytest.approx(1, rel=1e-6)
        # The pool sees three by three neurons; the signal goes to the one whose value was the largest. Of
        # several windows that hold it the first is the winner: it lies at its end.
        assert pool.extent[rank].tolist() == [7, 7]
        (y, x), _ = PLANTED[name]
        top, left = (place - 2 * max(0, -(-(place - 2) // 2)) for place in (y, x))
        expected = np.zeros((7, 7, 3))
        expected[top : top + 5, left : left + 5] = pattern
        np.testing.assert_array_equal(pool.maps[method][rank], expected)


def sheet(project, part, strip):
    folder = project.root / "artifacts/figures/patches" / part
    section = read_section(folder).content
    (layer,) = [one for one in section.layers if one.layer == RELU]
    (found,) = [one for one in layer.units[0].strips if one.caption == strip]
    with Image.open(folder / layer.sheets[found.sheet].file) as image:
        box = (found.x, found.y, found.x + found.width, found.y + found.height)
        return np.asarray(image.convert("RGB").crop(box)).astype(int)


@pytest.mark.parametrize(
    ("part", "strip", "lit", "dark"),
    [
        ("patches", "unit-patches", 245, 0),
        ("projections", "unit-deconvnet", 255, 1),
        ("projections", "unit-guided_backprop", 255, 1),
    ],
)
def test_pictures_of_the_unit_show_the_pattern(project, part, strip, lit, dark):
    tile = sheet(project, part, strip)[1:81, 1:81]
    # The activation is written over the first line and a half.
    red = np.median(tile[..., 0].reshape(5, 16, 5, 16), (1, 3))
    np.testing.assert_allclose(red[2:], np.where(CROSS, lit, dark)[2:], atol=12)
    assert red[1, 2] == pytest.approx(lit, abs=12)


def test_page_of_the_unit_names_its_images_and_shows_its_projections(project):
    page = (project.root / "report/units/features-1/0.html").read_text(encoding="utf-8")
    named = re.findall(r"(?:cross|none)/\d\d\.png", page)
    assert list(dict.fromkeys(named)) == [path_of(name) for name in brightest()]
    shown = html.unescape(page)
    assert "What of an image made a unit answer" in shown and "Guided backpropagation" in shown
    assert "features-1-projections-0.webp" in page


def test_dead_unit_is_listed_with_its_evidence(project, artifact):
    with open_units(artifact("units")) as found:
        layer = found.layer(RELU)
    assert layer.dead.tolist() == [False, True, False, False, False]
    assert (layer.images, layer.outputs) == (IMAGES, IMAGES * PIXELS**2)
    expected = before_relu()
    np.testing.assert_allclose(layer.largest_before, expected.max((0, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(layer.apoz, (expected <= 0).mean((0, 2, 3)), rtol=1e-12)
    assert layer.largest_before[1] < 0
    section = read_section(project.root / "artifacts/figures/activations/units").content
    (table,) = [block for block in section.blocks if getattr(block, "id", "") == "dead"]
    names = [column.name for column in table.columns]
    (row,) = [row for row in table.rows if row[0] == f"{RELU}/1"]
    assert dict(zip(names, row, strict=True)) == {
        "unit": f"{RELU}/1", "images": IMAGES, "outputs": IMAGES * PIXELS**2,
        "largest_before": pytest.approx(float(layer.largest_before[1]), rel=1e-5),
    }  # fmt: skip
    chapter = (project.root / "report/chapters/activations.html").read_text(encoding="utf-8")
    listed = chapter[chapter.index('id="units/dead"') :]
    assert 'href="../unit.html#features.1/1"' in listed[: listed.index("</table>")]
    page = (project.root / "report/units/features-1/1.html").read_text(encoding="utf-8")
    assert "Never active: its maximum was positive for none" in page and "<bdi>dead</bdi>" in page


def test_twin_is_the_nearest_unit(project, artifact):
    found = read_similar_units(artifact("similar_units")).layers[RELU]
    assert (found.unit[2, 0], found.unit[3, 0]) == (3, 2)
    assert found.correlation[[2, 3], 0] == pytest.approx([1, 1], abs=1e-6)
    assert found.correlation[[0, 4], 0].max() < 0.99
    # It does not vary, and is nobody's neighbour.
    assert not found.varies[1] and 1 not in found.unit
    page = (project.root / "report/units/features-1/2.html").read_text(encoding="utf-8")
    related = page[page.index("Units that are strong on the same images") :]
    assert re.search(r'href="([^"]*)"', related[related.index('class="units related"') :])[1].endswith(
        "3.html"
    )
