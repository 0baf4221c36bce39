"""The stage `probes` on a few images of four colours."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pipeline.errors import UserError
from pipeline.formats import predictions
from pipeline.formats.probes import read_pictures, read_probes
from pipeline.formats.status import not_run
from pipeline.params import check_block
from stages import probes
from tests.small.artifacts import write_description, write_manifest_of, write_predictions

IMAGES = 40
PARAMS = {"run": True, "ids": (), "paths": (), "right": 2, "wrong": 2, "least": 0, "most": 24, "seed": 0}
NAMES = [f"class/{number:05}.png" for number in range(IMAGES)]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Images of one grey each, which says their number."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "class").mkdir()
    for number, name in enumerate(NAMES):
        Image.fromarray(np.full((8, 8, 3), number, np.uint8)).save(folder / name)
    return folder


@pytest.fixture
def make(data, tmp_path):
    """Writes what the stage reads; the network sees all images but those named."""

    def write(label=None, predicted=None, held_out="", names=NAMES, unseen=(), split=None):
        path = tmp_path / "predictions.h5"
        image_id = np.setdiff1d(np.arange(len(names)), unseen)
        predicted = (
            np.zeros(len(image_id), np.int32) if predicted is None else np.asarray(predicted, np.int32)
        )
        write_predictions(path, image_id, predicted, [f"output{number}" for number in range(400)])
        found = predictions.read_predictions(path)
        label = found.label if label is None else np.asarray(label, np.int32)
        predictions.write_predictions(path, replace(found, label=label, held_out=held_out), made_from={})
        write_manifest_of(tmp_path / "manifest.h5", data, names, split=split)
        return {
            "predictions": path,
            "manifest": tmp_path / "manifest.h5",
            "weights": write_description(tmp_path / "weights", ()),
            "out": tmp_path / "probes.h5",
            "metrics": tmp_path / "probes.json",
        }

    return write


def run(given, **changed):
    probes.run(probes.Params(**PARAMS | changed), given)
    return read_probes(given["out"])


def test_right_and_wrong_ones_of_each_class_with_their_pictures(make):
    paths = make(label=np.arange(IMAGES) % 2, predicted=np.arange(IMAGES) % 4 % 3)
    found = run(paths, right=3, wrong=2)
    assert sorted(found.image_id.tolist()) == sorted(set(found.image_id.tolist()))
    np.testing.assert_array_equal(found.label, found.image_id % 2)
    np.testing.assert_array_equal(found.predicted, found.image_id % 4 % 3)
    for label in (0, 1):
        assert (found.right & (found.label == label)).sum() == 3
        assert (found.wrong & (found.label == label)).sum() == 2
    assert found.path == tuple(NAMES[row] for row in found.image_id)
    np.testing.assert_array_equal(read_pictures(paths["out"])[:, 4, 4, 0], found.image_id)
    assert json.loads(paths["metrics"].read_text()) == {
        "images": 10, "named": 0, "right": 6, "wrong": 4, "classes": 2,
    }  # fmt: skip


def test_images_that_are_named_come_first_whatever_their_split(make):
    paths = make(held_out="train")
    found = run(paths, ids=(31, 5), paths=(NAMES[2], NAMES[5]), most=6)
    assert found.image_id[:3].tolist() == [31, 5, 2]
    assert found.named.tolist() == [True] * 3 + [False] * 3
    assert run(paths, ids=(31, 5), right=0, wrong=0).image_id.tolist() == [31, 5]


def test_the_held_out_split_alone_is_drawn_from(make):
    split = ["test" if number % 10 == 0 else "train" for number in range(IMAGES)]
    paths = make(held_out="test", split=split)
    found = run(paths, ids=(3,), right=4)
    assert found.held_out == "test"
    assert found.split == ("train", *["test"] * 4)
    assert sorted(found.image_id.tolist()) == [0, 3, 10, 20, 30]


def test_without_labels_of_each_class_that_images_are_taken_for(make):
    found = run(make(predicted=np.arange(IMAGES) % 3))
    assert np.bincount(found.predicted).tolist() == [4, 4, 4]
    assert not found.right.any() and not found.wrong.any()


def test_three_hundred_classes_of_one_image_and_one_image(make):
    assert len(run(make(label=np.arange(IMAGES), predicted=np.arange(IMAGES)))) == 24
    assert run(make(names=NAMES[:1])).image_id.tolist() == [0]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"ids": (40,)}, "probes.ids: no image 40 in the dataset; ids are from 0 to 39"),
        ({"paths": ("class/0007.png",)}, "no image 'class/0007.png' in the dataset; did you mean 'class/"),
        ({"paths": ("qqqq",)}, "no image 'qqqq' in the dataset; a path is such as 'class/00000.png'"),
        ({"ids": (3,)}, "the network has not seen image 3, which could not be read"),
    ],
)
def test_an_image_that_is_not_there_is_named(make, changed, said):
    with pytest.raises(UserError) as error:
        run(make(unseen=(3,)), **changed)
    assert said in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"ids": [1, 2, 3], "most": 2}, "most must be at least 3"),
        ({"right": 0, "wrong": 0}, "no image is asked for"),
        ({"ids": [-1]}, "greater than or equal to 0"),
    ],
)
def test_a_block_that_asks_for_the_impossible_is_refused(changed, said):
    with pytest.raises(UserError, match=said):
        check_block(PARAMS | changed, "probes", probes.Params, source="params.yaml")


def test_an_image_that_is_gone_is_no_probe(make, data):
    paths, path = make(), data / NAMES[7]
    content = path.read_bytes()
    try:
        path.unlink()
        assert run(paths, ids=(7, 8), right=0, wrong=0).image_id.tolist() == [8]
    finally:
        path.write_bytes(content)


def test_equal_inputs_give_equal_bytes(make):
    paths = make(predicted=np.arange(IMAGES) % 3)
    run(paths)
    before = paths["out"].read_bytes()
    run(paths)
    assert paths["out"].read_bytes() == before


def test_left_out_it_says_so(make):
    paths = make()
    assert run(paths, run=False) == not_run("probes")
    assert json.loads(paths["metrics"].read_text()) == {}
