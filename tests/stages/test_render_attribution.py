"""The chapter of attributions as a folder of contents."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.contents.reading import read_section
from pipeline.formats import class_models, gradients, occlusion, scorecard
from pipeline.formats.status import not_run, write_status
from stages import render_attribution
from tests.small import probes as small
from tests.small.artifacts import write_names
from tests.small.class_models import FOUND as MODELS
from tests.small.gradients import write as write_gradients
from tests.small.occlusion import FOUND
from tests.small.pages import page_of
from tests.small.scorecard import scorecard as small_scorecard

VERSIONS = {
    "occlusion": occlusion.VERSION, "gradients": gradients.VERSION,
    "scorecard": scorecard.VERSION, "class_models": class_models.VERSION,
}  # fmt: skip


@pytest.fixture
def paths(tmp_path):
    names = write_names(tmp_path / "class_names.h5", ["cat", "dog"], ["cat", "dog", "owl"])
    files = {name: tmp_path / f"{name}.h5" for name in VERSIONS}
    occlusion.write_occlusion(files["occlusion"], FOUND, made_from={})
    write_gradients(files["gradients"])
    scorecard.write_scorecard(files["scorecard"], small_scorecard(3, 3), made_from={})
    class_models.write_class_models(files["class_models"], MODELS, made_from={})
    probes = small.write(tmp_path)["probes"]
    return files | {"probes": probes, "names": names, "out": tmp_path / "attribution"}


def run(paths):
    render_attribution.run(render_attribution.Params(probes=2), paths)
    return {name: read_section(paths["out"] / name).content for name in VERSIONS}


def test_occlusion_is_a_section(paths):
    section = run(paths)["occlusion"]
    assert section.blocks[-1].images == (7, 2)
    assert [part.path for part in section.images] == ["a/7.png", "b/2.png", "c/5.png"]


def test_gradients_are_a_section(paths):
    section = run(paths)["gradients"]
    assert section.blocks[0].numbers["columns"] == 2
    assert [part.image_id for part in section.images] == [7, 2, 5]


def test_scorecard_is_a_section(paths):
    section = run(paths)["scorecard"]
    assert section.numbers["methods"] == 3
    assert [part.image_id for part in section.images] == [7, 2, 5]


def test_class_models_are_a_section(paths):
    section = run(paths)["class_models"]
    assert [figure.numbers["output"] for figure in section.blocks[0].figures] == ["dog", "owl"]


def test_what_was_not_run_says_so(paths):
    status = not_run("probes")
    for name, version in VERSIONS.items():
        write_status(paths[name], status, stage=name, version=version)
    write_status(paths["probes"], status, stage="probes", version=1)
    for section in run(paths).values():
        assert (section.status, section.reason) == ("not run", "params.yaml says probes.run: false")


@pytest.mark.parametrize(
    ("by_label", "says"),
    [
        ((True, True, True), "class is the image’s label."),
        ((True, True, False), "the 1 image without a label that is an output."),
        (
            (False, False, False),
            "No image has a label that is an output of the network: the class is the predicted one.",
        ),
    ],
)
def test_whose_class_is_meant_is_said_of_images_whose_labels_are_no_outputs(paths, tmp_path, by_label, says):
    by_label = np.array(by_label)
    about = replace(FOUND, whole=replace(FOUND.whole, by_label=by_label))
    occlusion.write_occlusion(paths["occlusion"], about, made_from={})
    write_gradients(paths["gradients"], by_label)
    run(paths)
    for name in ("occlusion", "gradients"):
        assert says in " ".join(page_of(paths["out"] / name, tmp_path / name).replace("\u00a0", " ").split())


def test_a_fall_that_the_digits_do_not_show_is_not_called_one(paths, tmp_path):
    sizes = [replace(one, probability=np.full_like(one.probability, 0.99992)) for one in FOUND.sizes]
    whole = replace(FOUND.whole, probability=np.full(3, 0.99996, np.float32))
    found = replace(FOUND, whole=whole, sizes=tuple(sizes))
    occlusion.write_occlusion(paths["occlusion"], found, made_from={})
    run(paths)
    page = page_of(paths["out"] / "occlusion", tmp_path).replace("\u00a0", " ")
    assert "dog stays at &gt; 99.9 %" in page and "falls from" not in page
