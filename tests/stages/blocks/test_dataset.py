"""The block dataset: what is refused, and what is refused early."""

import logging
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.dataset.dataset import open_dataset
from pipeline.dataset.names import LEFT_BEHIND
from pipeline.errors import UserError
from pipeline.listing import write_listing
from pipeline.params import check_block, read_params
from stages.blocks import dataset
from stages.blocks.probes import Params as Probes

PARAMS = read_params(Path(__file__).parents[3] / "params.yaml")
BLOCK = PARAMS["dataset"]
PROBES = check_block(PARAMS["probes"], "probes", Probes, source="params.yaml")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"path": ""}, "dataset.path"),
        ({"sample": 0}, "dataset.sample"),
        ({"held_out": 1.1}, "dataset.held_out"),
        ({"max_bad_fraction": 1.5}, "dataset.max_bad_fraction"),
        ({"seed": -1}, "dataset.seed"),
        ({"check": "all"}, "pixels"),
        ({"sampel": 3}, "did you mean 'sample'"),
    ],
)
def test_mistakes_are_named(changed, words):
    with pytest.raises(UserError, match=words):
        check_block(BLOCK | changed, "dataset", dataset.Params, source="params.yaml")


@pytest.mark.parametrize("key", BLOCK)
def test_a_key_that_is_missing_is_named(key):
    block = {name: value for name, value in BLOCK.items() if name != key}
    with pytest.raises(UserError, match=f"'dataset.{key}' is missing"):
        check_block(block, "dataset", dataset.Params, source="params.yaml")


def blocks(path, sample="none", *, k=1, images=None, held_out=0.2, weights="train", probes=None):
    return {
        "dataset": SimpleNamespace(path=str(path), sample=images, held_out=held_out),
        "sample": SimpleNamespace(dataset=sample), "topk": SimpleNamespace(k=k),
        "model": SimpleNamespace(weights=weights), "probes": probes or PROBES,
    }  # fmt: skip


def folder_of(tmp_path, count, split=""):
    for number in range(count):
        path = tmp_path / split / f"class{number % 2}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"paths": ("class0/99.png",)}, "probes.paths: no image 'class0/99.png' .* did you mean 'class0/"),
        ({"ids": (4,)}, "probes.ids: no image 4 in the dataset; ids are from 0 to 3"),
    ],
)
def test_probe_that_is_not_there_is_refused_before_any_work(tmp_path, changed, words):
    there = {"paths": ("class0/2.png",), "ids": (3,)}
    dataset.check(blocks(folder_of(tmp_path, 4), probes=PROBES.model_copy(update=there)), None)
    with pytest.raises(UserError, match=words):
        dataset.check(blocks(tmp_path, probes=PROBES.model_copy(update=changed)), None)
    left_out = PROBES.model_copy(update={**changed, "run": False})
    dataset.check(blocks(tmp_path, probes=left_out), None)


def test_more_ranks_than_images_are_refused_before_any_work(tmp_path):
    with pytest.raises(UserError, match=r"topk\.k is 9, but there are 4 images; set it to 4 or less"):
        dataset.check(blocks(folder_of(tmp_path, 4), k=9), None)
    with pytest.raises(UserError, match=r"topk\.k is 4, but there are 3 images"):
        dataset.check(blocks(tmp_path, k=4, images=3), None)
    dataset.check(blocks(tmp_path, k=4), None)


@pytest.mark.parametrize(("count", "said"), [(1, "there is one"), (4, "there are 4"), (5, "")])
def test_too_few_images_for_a_map_are_said_before_any_work(tmp_path, caplog, count, said):
    dataset.check(blocks(folder_of(tmp_path, count)), None)
    assert ("no map" in caplog.text) == bool(said)
    assert said in caplog.text


@pytest.mark.parametrize(("images", "said"), [(None, False), (5, False), (6, False), (7, True)])
def test_a_sample_of_more_images_than_there_are_is_said(tmp_path, caplog, images, said):
    dataset.check(blocks(folder_of(tmp_path, 6), images=images), None)
    assert ("dataset.sample is 7, of 6 that there are: all are taken" in caplog.text) == said


def test_nothing_is_left_to_train_on_where_all_is_held_out(tmp_path):
    folder_of(tmp_path, 6)
    with pytest.raises(UserError, match=r"held_out is 1, which leaves no image for training"):
        dataset.check(blocks(tmp_path, held_out=1), None)
    dataset.check(blocks(tmp_path, held_out=1, weights="DEFAULT"), None)


def test_splits_of_its_own_leave_images_for_training(tmp_path):
    folder_of(tmp_path, 6, "train"), folder_of(tmp_path, 2, "test")
    dataset.check(blocks(tmp_path, held_out=1), None)


def test_a_dataset_that_is_not_there_or_empty_is_refused_early(tmp_path):
    with pytest.raises(UserError, match=r"dataset\.path: .*nowhere does not exist"):
        dataset.check(blocks(tmp_path / "nowhere"), None)
    (tmp_path / "images.txt").touch()
    with pytest.raises(UserError, match=r"dataset\.path: .*images\.txt is no dataset"):
        dataset.check(blocks(tmp_path / "images.txt"), None)
    (tmp_path / "images.txt").unlink()
    (tmp_path / "class").mkdir()
    with pytest.raises(UserError, match="holds no image"):
        dataset.check(blocks(tmp_path), None)
    (tmp_path / "class" / "image.png").touch()
    dataset.check(blocks(tmp_path), None)


def test_a_sample_that_is_not_made_yet_is_no_mistake():
    dataset.check(blocks("data/cifar10", "cifar10"), None)


def test_what_was_understood_is_said_before_any_work(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    for name in ("docs/a.md", "train/cat/1.png", "train/dog/1.png", "val/dog/1.png", ".DS_Store"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    dataset.check(blocks(tmp_path), None)
    assert "2 classes, the folders in train, val: cat, dog; splits: train, val" in caplog.text
    assert "passed over: .DS_Store: 1, files of other names: 1, folders without an image: 1" in caplog.text


def test_what_looks_wrong_is_a_warning_with_the_way_out(tmp_path, caplog):
    (tmp_path / "images").mkdir()
    (tmp_path / "images/1.png").touch()
    dataset.check(blocks(tmp_path), None)
    assert "all images are of one class, 'images'; if wrong, set dataset.path to" in caplog.text


@pytest.mark.parametrize("name", [b"caf\xe9.png", b"caf\xe9/1.png", b"notes-\xff.txt", b".hidden-\xff"])
def test_a_name_that_is_not_utf8_is_named_before_dvc_ends_at_it(tmp_path, name):
    """DVC itself says: 'utf-8' codec can't encode character, surrogates not allowed."""
    place = tmp_path / "images" / os.fsdecode(name)
    place.parent.mkdir(parents=True)
    place.touch()
    with pytest.raises(
        UserError, match=r"DVC cannot hash '.*\\x(e9|ff).*UTF-8; rename it.*pipeline\.listing"
    ):
        dataset.check(blocks(tmp_path / "images"), None)


def test_a_listing_is_the_way_out_for_names_that_are_not_utf8(tmp_path):
    place = tmp_path / "images" / os.fsdecode(b"cat/caf\xe9.png")
    place.parent.mkdir(parents=True)
    place.write_bytes(b"image")
    write_listing(tmp_path / "images", tmp_path / "images.csv")
    dataset.check(blocks(tmp_path / "images.csv"), None)
    assert open_dataset(tmp_path / "images.csv").read(r"cat/caf\xe9.png") == b"image"


def test_a_pipe_is_named_before_dvc_waits_for_it(tmp_path):
    (tmp_path / "1.png").touch()
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(UserError, match=r"DVC cannot hash 'pipe\.png': it is a pipe"):
        dataset.check(blocks(tmp_path), None)
    (tmp_path / "pipe.png").unlink()


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("nothing.png", "it is a link to nothing; mend it"),
        ("2.png", "it is a link to nothing; mend it"),
        (
            ".dvc/cache/files/md5/82/d272eade06e0bfa8ce187442344142",
            "lacks the content; fetch it, as by dvc pull",
        ),
        ("../.git/annex/objects/Xw/8K/MD5E-s5--82.png/MD5E-s5--82.png", "git annex get"),
    ],
)
def test_a_link_to_nothing_is_named_before_dvc_ends_at_it(tmp_path, target, words):
    (tmp_path / "1.png").touch()
    (tmp_path / "2.png").symlink_to(target)
    with pytest.raises(UserError, match=rf"DVC cannot hash '2\.png': .*{words}"):
        dataset.check(blocks(tmp_path), None)


def test_dvc_passes_over_what_the_manifest_passes_over():
    """Else a folder that a file browser merely showed would be another dataset."""
    ignored = {line.strip().lstrip("\\").lower() for line in Path(".dvcignore").read_text().splitlines()}
    assert {"._*", *LEFT_BEHIND} - ignored <= {"icon\r", "icon\\x0d", "__pycache__"}
