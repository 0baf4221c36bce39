import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pipeline.contents.reading import read_section
from pipeline.figures.labelling import BEGIN, SCRIPT
from pipeline.formats import predictions
from pipeline.formats.humans import People, write_humans
from pipeline.formats.status import not_run
from pipeline.store import open_activations
from stages import contrasts, patches, render_people, topk
from tests.small import atlas
from tests.small.artifacts import (
    write_description,
    write_manifest_of,
    write_names,
    write_predictions,
    write_thumbnails,
)
from tests.small.humans import LABEL, choices, humans
from tests.small.pages import page_of

PARAMS = render_people.Params(listed=3, to_label=3, side=32, examples=1, asked=0, seed=0)
NOBODY = People(not_run("humans"), not_run("humans"))
SPLIT = ["train", "test"] * 4


def paths(tmp_path, label=LABEL):
    dataset, names = tmp_path / "data", [f"class/{row:05}.png" for row in range(8)]
    (dataset / "class").mkdir(parents=True, exist_ok=True)
    for row, name in enumerate(names):
        Image.new("RGB", (80, 40), (20 * row, 0, 0)).save(dataset / name)
    write_manifest_of(tmp_path / "manifest.h5", dataset, names, label, split=SPLIT)
    path = write_predictions(tmp_path / "predictions.h5", np.arange(8), label, "abc")
    found = replace(predictions.read_predictions(path), label=label, held_out="test")
    predictions.write_predictions(path, found, made_from={})
    write_thumbnails(tmp_path / "thumbnails.h5", 10 * np.arange(8))
    write_names(tmp_path / "names.h5", ["a", "b", "c"])
    return {
        "humans": tmp_path / "humans.h5", "names": tmp_path / "names.h5",
        "manifest": tmp_path / "manifest.h5", "out": tmp_path / "people", "predictions": path,
        "thumbnails": tmp_path / "thumbnails.h5", "weights": write_description(tmp_path / "weights", "abc"),
    }  # fmt: skip


def test_images_have_their_names(tmp_path):
    write_humans(tmp_path / "humans.h5", People(humans(), choices()), made_from={})
    render_people.run(PARAMS, paths(tmp_path))
    content = read_section(tmp_path / "people/humans").content
    assert [part.path for part in content.images[:2]] == ["class/00000.png", "class/00001.png"]


@pytest.mark.parametrize(
    ("basis", "held_out", "learnt", "unsure"),
    [("held out", "test", 4, 0), ("declared", "test", 0, 4)],
)
def test_images_that_the_network_may_know_are_counted(tmp_path, basis, held_out, learnt, unsure):
    write_humans(tmp_path / "humans.h5", People(humans(), choices()), made_from={})
    given = paths(tmp_path)
    found = predictions.read_predictions(given["predictions"])
    found = replace(found, basis=basis, held_out=held_out)
    predictions.write_predictions(given["predictions"], found, made_from={})
    render_people.run(PARAMS, given)
    numbers = read_section(tmp_path / "people/humans").content.numbers
    assert (numbers["learnt"], numbers["unsure"]) == (learnt, unsure)


def test_what_was_not_run_has_its_section(tmp_path):
    write_humans(tmp_path / "humans.h5", NOBODY, made_from={})
    render_people.run(PARAMS, paths(tmp_path))
    assert read_section(tmp_path / "people/humans").content.status == "not run"


def task(tmp_path, **changed):
    write_humans(tmp_path / "humans.h5", NOBODY, made_from={})
    render_people.run(PARAMS.model_copy(update=changed), paths(tmp_path))
    text = (tmp_path / "people/labelling" / SCRIPT).read_text()
    return json.loads(text.removeprefix(BEGIN).rstrip(";\n"))


def test_images_to_label_are_held_out_and_examples_are_not_among_them(tmp_path):
    found = task(tmp_path)
    assert len(found["path"]) == 3
    assert {int(path[-5]) % 2 for path in found["path"]} == {1}
    assert [one["name"] for one in found["classes"]] == ["class0", "class1", "class2"]
    for path, name in zip(found["path"], found["pictures"], strict=True):
        picture = Image.open(tmp_path / "people/labelling" / name)
        assert picture.size == (32, 16)
        assert abs(picture.convert("RGB").getpixel((5, 5))[0] - 20 * int(path[-5])) <= 3
    examples = [place for one in found["classes"] for place in one["examples"]]
    assert examples == [0, 1, 2]


@pytest.mark.parametrize(("side", "said"), [(32, True), (4096, False)])
def test_pictures_are_said_to_be_reduced_where_one_is(tmp_path, side, said):
    task(tmp_path, side=side)
    assert ("the larger ones reduced" in page_of(tmp_path / "people/labelling", tmp_path)) == said


def test_the_same_seed_asks_the_same_and_another_another(tmp_path):
    first = task(tmp_path, to_label=4)["path"]
    assert task(tmp_path, to_label=4)["path"] == first
    assert any(task(tmp_path, to_label=4, seed=seed)["path"] != first for seed in (1, 2))


def test_one_class_leaves_nothing_to_choose(tmp_path):
    write_humans(tmp_path / "humans.h5", NOBODY, made_from={})
    render_people.run(PARAMS, paths(tmp_path, np.zeros(8, np.int32)))
    content = read_section(tmp_path / "people/labelling").content
    assert content.status == "not applicable" and "fewer than two classes" in content.reason


def test_an_image_that_is_gone_is_not_asked_about(tmp_path):
    first = task(tmp_path)["path"]
    given = paths(tmp_path)
    (tmp_path / "data" / first[0]).unlink()
    render_people.run(PARAMS, given)
    text = (tmp_path / "people/labelling" / SCRIPT).read_text()
    assert json.loads(text.removeprefix(BEGIN).rstrip(";\n"))["path"] == first[1:]


@pytest.fixture
def asked(tmp_path):
    """What people are asked of units whose activations were made by hand."""
    given = atlas.make(tmp_path)
    topk.run(topk.Params(k=3, margin=3), given | {"out": given["topk"]})
    patches.run(patches.Params(units=64, layers=("*",), side=16, seed=0), given | {"out": given["patches"]})

    def made(run=True, **changed):
        params = contrasts.Params(run=run, images=3, seed=0)
        contrasts.run(params, given | {"out": given["contrasts"]})
        values = open_activations(given["activations"]).read
        return render_people.questions(PARAMS.model_copy(update=changed), given), values

    return made


def image(path):
    return int(path[-6:-4])


def blue(patch):
    """What tells the image, of the pixels that are not hatched."""
    seen = patch[(patch[..., 0] != patch[..., 1]) | (patch[..., 1] != patch[..., 2])]
    return np.median(seen[:, 2])


def test_of_two_images_one_excites_the_unit_and_both_are_new(asked):
    found, values = asked(asked=3)
    assert len(found) > 6 and {one.layer for one in found} == set(atlas.LAYERS)
    lefts = 0
    for one in found:
        value = values(f"maxima/{one.layer}/value")[:, one.unit]
        left, right = map(image, one.path)
        assert value[left] != value[right] and min(value[left], value[right]) > 0
        lefts += value[left] > value[right]
        shown = [blue(patch) for patch in one.nine]
        assert len(shown) == 3
        for number, patch in zip((left, right), one.pair, strict=True):
            assert blue(patch) == pytest.approx(20 * number, abs=3)
            # The last two images are copies, whose activations differ as no network's do.
            assert number >= atlas.IMAGES - 2 or all(abs(20 * number - other) > 3 for other in shown)
    assert abs(2 * lefts - len(found)) <= 1


def test_none_are_asked_where_none_are_wanted_or_the_weakest_are_not_known(asked):
    assert asked(asked=0)[0] == render_people.NOT_ASKED
    assert asked(asked=3, run=False)[0] == not_run("contrasts")
    first = [(one.layer, one.unit, one.path) for one in asked(asked=2)[0]]
    assert [(one.layer, one.unit, one.path) for one in asked(asked=2)[0]] == first
    assert [(one.layer, one.unit, one.path) for one in asked(asked=2, seed=5)[0]] != first
