"""Strips of the weakest and of random images, from what the stages before have made."""

import pytest

from pipeline.contents.writing import SectionDraft
from pipeline.figures.contrasts import add_contrasts
from pipeline.formats.contrasts import open_contrasts
from pipeline.formats.patches import open_patches
from pipeline.formats.status import not_run
from stages import contrasts, patches, topk
from tests.small.atlas import IMAGES, LAYERS, make


@pytest.fixture
def drawn(tmp_path):
    paths = make(tmp_path)
    topk.run(topk.Params(k=3, margin=2), paths | {"out": paths["topk"]})
    patches.run(patches.Params(units=64, layers=("*",), side=16, seed=0), paths | {"out": paths["patches"]})
    contrasts.run(contrasts.Params(run=True, images=3, seed=0), paths | {"out": paths["contrasts"]})
    section = SectionDraft("contrasts", tmp_path / "contrasts")
    section.folder.mkdir()
    with open_contrasts(paths["contrasts"]) as found, open_patches(paths["patches"]) as source:
        add_contrasts(section, found, source, threads=2)
    return section


def test_each_active_unit_has_a_strip_of_either_kind(drawn):
    content = drawn.content()
    assert [part.layer for part in content.layers] == list(LAYERS)
    for part in content.layers:
        # The last unit of each layer is never active.
        assert [unit.unit for unit in part.units] == list(range(LAYERS[part.layer][0] - 1))
        assert all([strip.caption for strip in unit.strips] == ["weakest", "random"] for unit in part.units)
        places = {(strip.sheet, strip.y) for unit in part.units for strip in unit.strips}
        assert len(places) == 2 * len(part.units)
    assert content.numbers == {"images": IMAGES, "shown": 3, "units": 8, "layers_by_input": 0}
    assert all((drawn.folder / name).is_file() for name in content.files)


def test_section_without_data_says_why(tmp_path):
    section = SectionDraft("contrasts", tmp_path)
    add_contrasts(section, not_run("contrasts"), None, threads=1)
    assert section.content().reason == "params.yaml says contrasts.run: false"
