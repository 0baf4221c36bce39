"""The chapter of attributions as a folder of contents."""

import pytest

from pipeline.contents.reading import read_section
from pipeline.formats.occlusion import VERSION, write_occlusion
from pipeline.formats.status import not_run, write_status
from stages import render_attribution
from tests.small import probes as small
from tests.small.artifacts import write_names
from tests.small.occlusion import FOUND


@pytest.fixture
def paths(tmp_path):
    names = write_names(tmp_path / "class_names.h5", ["cat", "dog"], ["cat", "dog", "owl"])
    write_occlusion(tmp_path / "occlusion.h5", FOUND, made_from={})
    probes = small.write(tmp_path)["probes"]
    out = tmp_path / "attribution"
    return {"occlusion": tmp_path / "occlusion.h5", "probes": probes, "names": names, "out": out}


def run(paths):
    render_attribution.run(render_attribution.Params(probes=2), paths)
    return {"occlusion": read_section(paths["out"] / "occlusion").content}


def test_occlusion_is_a_section(paths):
    section = run(paths)["occlusion"]
    assert section.blocks[-1].images == (7, 2)
    assert [part.path for part in section.images] == ["a/7.png", "b/2.png", "c/5.png"]


def test_what_was_not_run_says_so(paths):
    status = not_run("probes")
    write_status(paths["occlusion"], status, stage="occlusion", version=VERSION)
    write_status(paths["probes"], status, stage="probes", version=1)
    section = run(paths)["occlusion"]
    assert (section.status, section.reason) == ("not run", "params.yaml says probes.run: false")
