import json
from dataclasses import replace

import numpy as np
from PIL import Image

from pipeline.contents.reading import read_section
from pipeline.figures.labelling import BEGIN, SCRIPT
from pipeline.formats import predictions
from pipeline.formats.humans import VERSION, write_humans
from pipeline.formats.status import not_run, write_status
from stages import render_people
from tests.small.artifacts import write_manifest_of, write_names, write_predictions, write_thumbnails
from tests.small.humans import LABEL, humans

PARAMS = render_people.Params(listed=3, to_label=3, side=32, examples=1, seed=0)
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
        "thumbnails": tmp_path / "thumbnails.h5",
    }  # fmt: skip


def test_images_have_their_names(tmp_path):
    write_humans(tmp_path / "humans.h5", humans(), made_from={})
    render_people.run(PARAMS, paths(tmp_path))
    content = read_section(tmp_path / "people/humans").content
    assert [part.path for part in content.images[:2]] == ["class/00000.png", "class/00001.png"]


def test_what_was_not_run_has_its_section(tmp_path):
    write_status(tmp_path / "humans.h5", not_run("humans"), stage="humans", version=VERSION)
    render_people.run(PARAMS, paths(tmp_path))
    assert read_section(tmp_path / "people/humans").content.status == "not run"


def task(tmp_path, **changed):
    write_status(tmp_path / "humans.h5", not_run("humans"), stage="humans", version=VERSION)
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


def test_the_same_seed_asks_the_same_and_another_another(tmp_path):
    first = task(tmp_path, to_label=4)["path"]
    assert task(tmp_path, to_label=4)["path"] == first
    assert any(task(tmp_path, to_label=4, seed=seed)["path"] != first for seed in (1, 2))


def test_one_class_leaves_nothing_to_choose(tmp_path):
    write_status(tmp_path / "humans.h5", not_run("humans"), stage="humans", version=VERSION)
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
