"""The manifest stage: its params, what it writes, and what it says."""

import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline import store
from pipeline.errors import UserError
from pipeline.params import check_block, read_params
from stages import manifest as stage

BLOCK = read_params(Path(__file__).parents[2] / "params.yaml")["dataset"]


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "images"
    for label in ("cat", "dog"):
        for number in range(3):
            (root / label).mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((4, 5, 3), number, np.uint8)).save(root / label / f"{number}.png")
    return root


def run(tmp_path, **params):
    stage.run(
        check_block(BLOCK | params, "dataset", stage.Params, source="test"), {"out": tmp_path / "manifest.h5"}
    )
    return tmp_path / "manifest.h5"


def test_it_writes_the_manifest(folder, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    (folder / "cat" / "bad.png").write_bytes(b"<html>")
    (folder / "fox").mkdir()
    with store.read(run(tmp_path, path=str(folder), max_bad_fraction=0.2), version=None) as file:
        assert len(file.strings("path")) == 6
        assert file.strings("class_names") == ["cat", "dog", "fox"]
        assert file.strings("skipped/reason") == ["not an image"]
        root = file.attributes()
    assert root["dataset"] == str(folder)
    assert root["duplicates"] == 3
    assert root["stage"] == "manifest"
    for words in (
        "6 images, 3 classes, 3 duplicates", "cat: 3, dog: 3, fox: 0", "classes without an image: 1: fox",
        "skipped cat/bad.png: not an image", "by split, drawn here (dataset.held_out): ",
    ):  # fmt: skip
        assert words in caplog.text


def test_the_command_line_comes_before_the_params(folder, tmp_path):
    params = stage.Params(**BLOCK | {"path": "nowhere"})
    stage.run(params, {"dataset": folder, "out": tmp_path / "manifest.h5"})
    with pytest.raises(UserError, match="nowhere does not exist"):
        stage.run(params, {"dataset": Path(stage.DEFAULT_DATASET), "out": tmp_path / "manifest.h5"})


def test_a_failure_leaves_the_earlier_manifest(folder, tmp_path):
    before = run(tmp_path, path=str(folder)).read_bytes()
    (folder / "cat" / "bad.png").write_bytes(b"")
    with pytest.raises(UserError, match="max_bad_fraction"):
        run(tmp_path, path=str(folder), max_bad_fraction=0.0)
    assert (tmp_path / "manifest.h5").read_bytes() == before
