"""The stage `render-filters` on a small dataset."""

import numpy as np
import pytest

from pipeline.contents.reading import read_section
from pipeline.formats.filters import VERSION, About, FilterLayer, Quality, new_filters
from pipeline.formats.patches import open_patches
from pipeline.formats.status import not_run, write_status
from stages import patches, render_filters, topk
from tests.small.atlas import LAYERS, make

PARAMS = render_filters.Params(tiles=9, layers=1, filters=2, channels=2, scale="layer")


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("atlas")
    paths = make(folder)
    topk.run(topk.Params(k=3, margin=3), paths | {"out": paths["topk"]})
    params = patches.Params(units=2, layers=("*",), side=16, seed=0)
    patches.run(params, paths | {"out": paths["patches"]})
    return paths | {"filters": folder / "filters.h5", "out": folder / "figures/filters"}


def write(path):
    weight = np.random.default_rng(0).normal(size=(3, 5, 3, 3)).astype(np.float32)
    layer = FilterLayer(
        "conv", 3, 5, (3, 3), 1, None, Quality(smoothness=0.0), None, True, {"features.1": np.zeros(3, bool)},
        np.zeros(3, np.float32), np.ones(3, np.float32), np.arange(3),
    )  # fmt: skip
    with new_filters(path, About(("conv",), "", "", 0.05, 0.95), made_from={}) as writer:
        writer.put_layer("conv", layer, weight)


def test_drawn_units_show_their_filters(paths):
    write(paths["filters"])
    render_filters.run(PARAMS, paths)
    section = read_section(paths["out"] / "filters").content
    assert [part.layer for part in section.layers] == list(LAYERS)
    (filtered,) = [part for part in section.layers if part.units]
    assert (filtered.layer, len(filtered.units)) == ("features.1", 3)
    with open_patches(paths["patches"]) as found:
        drawn = found.layer("features.1").unit.tolist()
    assert len(drawn) == 2
    assert [unit.unit for unit in filtered.units if unit.strips] == drawn
    assert filtered.blocks[0].numbers["shown"] == 2


def test_equal_inputs_give_equal_bytes(paths):
    write(paths["filters"])
    found = []
    for _ in range(2):
        render_filters.run(PARAMS, paths)
        files = sorted(file for file in paths["out"].rglob("*") if file.is_file())
        found.append([file.read_bytes() for file in files])
    assert found[0] == found[1]


def test_what_is_left_out_says_so(paths):
    write_status(paths["filters"], not_run("filters"), stage="filters", version=VERSION)
    render_filters.run(PARAMS, paths)
    assert read_section(paths["out"] / "filters").content.status == "not run"
