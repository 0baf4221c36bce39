"""The stage `render-failures` on artifacts made by hand."""

import numpy as np
import pytest

from pipeline.contents.reading import read_section
from pipeline.formats.attributes import VERSION, write_attributes
from pipeline.formats.fooling import VERSION as FOOLING
from pipeline.formats.fooling import write_fooling
from pipeline.formats.probes import VERSION as PROBES
from pipeline.formats.status import not_run, write_status
from stages import render_failures
from tests.small import probes as small
from tests.small.artifacts import write_manifest, write_names, write_predictions, write_thumbnails
from tests.small.attributes import EXAMPLES, attributes
from tests.small.files import bytes_below
from tests.small.fooling import FOUND

PARAMS = render_failures.Params(listed=2)
COUNT = 24


@pytest.fixture
def paths(tmp_path):
    # The last image was not extracted.
    predicted = (np.arange(COUNT - 1) % 3).astype(np.int32)
    paths = {
        "attributes": tmp_path / "attributes.h5",
        "fooling": tmp_path / "fooling.h5",
        "probes": small.write(tmp_path)["probes"],
        "manifest": write_manifest(tmp_path / "manifest.h5", np.arange(COUNT) % 3, "abc"),
        "predictions": write_predictions(tmp_path / "predictions.h5", np.arange(COUNT - 1), predicted, "abc"),
        "names": write_names(tmp_path / "names.h5", "abc", ("ant", "bee", "cat")),
        "thumbnails": write_thumbnails(tmp_path / "thumbnails.h5", 10 * np.arange(COUNT)),
        "out": tmp_path / "figures/failures",
    }
    write_attributes(paths["attributes"], attributes(), made_from={})
    write_fooling(paths["fooling"], FOUND, made_from={})
    return paths


def render(paths):
    render_failures.run(PARAMS, paths)
    return read_section(paths["out"] / "attributes").content


def test_the_section_is_drawn_with_examples(paths):
    content = render(paths)
    assert (content.name, content.status) == ("attributes", "done")
    assert {part.image_id for part in content.images} == set(attributes().listed.tolist())
    assert content.images[0].path == "class/00000.png"
    svg = (paths["out"] / "attributes/examples-0.svg").read_text()
    assert "ant" in svg and svg.count("<image") == np.count_nonzero(EXAMPLES >= 0)


def test_an_image_that_was_not_extracted_is_passed_over(paths):
    write_attributes(paths["attributes"], attributes(listed=np.array([0, 3, 7, 9, 11, 23])), made_from={})
    assert {part.image_id for part in render(paths).images} == {0, 3, 7, 9, 11}


def test_equal_inputs_give_equal_bytes(paths):
    render(paths)
    before = bytes_below(paths["out"])
    render(paths)
    assert bytes_below(paths["out"]) == before


def test_what_is_left_out_says_so(paths):
    write_status(paths["attributes"], not_run("attributes"), stage="attributes", version=VERSION)
    assert render(paths).status == "not run"


def test_fooling_is_a_section_and_its_images_are_probes(paths):
    render(paths)
    section = read_section(paths["out"] / "fooling").content
    assert [part.path for part in section.images] == ["a/7.png", "b/2.png"]
    for name, version in (("fooling", FOOLING), ("probes", PROBES)):
        write_status(paths[name], not_run("probes"), stage=name, version=version)
    render(paths)
    section = read_section(paths["out"] / "fooling").content
    assert (section.status, section.reason) == ("not run", "params.yaml says probes.run: false")
