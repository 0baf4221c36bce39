import json
import subprocess
import sys

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats.weights import (
    Description,
    read_course,
    read_description,
    write_course,
    write_description,
)
from pipeline.images.preprocess import Preprocessing

DESCRIPTION = Description(
    architecture="builtin:digits", weights="train", classes=("null", "één"), digest="ab" * 32,
    preprocessing=Preprocessing(input_size=(32, 32), resize=(32, 32), crop="none"),
    training={"epochs": 3, "lr": 0.1},
)  # fmt: skip


def test_what_is_written_is_read_back(tmp_path):
    write_description(tmp_path, DESCRIPTION)
    assert read_description(tmp_path) == DESCRIPTION
    assert [path.name for path in tmp_path.iterdir()] == ["model.json"]


def test_equal_descriptions_give_equal_bytes(tmp_path):
    write_description(tmp_path, DESCRIPTION)
    first = (tmp_path / "model.json").read_bytes()
    write_description(tmp_path, DESCRIPTION.model_copy(update={"training": {"lr": 0.1, "epochs": 3}}))
    assert (tmp_path / "model.json").read_bytes() == first


def test_missing_description(tmp_path):
    with pytest.raises(UserError, match="model.json: no such file; run the stage weights"):
        read_description(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"architecture": "builtin:digits"})])
def test_damaged_description(tmp_path, text):
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(UserError, match=r"model\.json: .*run the stage weights again"):
        read_description(tmp_path)


def test_reading_a_description_needs_no_torch():
    code = "import sys, pipeline.weights; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_course_of_a_training_is_read_back(tmp_path):
    write_course(tmp_path / "course", [(0, None, 2.5, 0.125), (1, 0.5, 0.25, 0.75)])
    np.testing.assert_equal(read_course(tmp_path / "course"), [(0, np.nan, 2.5, 0.125), (1, 0.5, 0.25, 0.75)])
    assert sorted(path.parent.name for path in (tmp_path / "course").rglob("*.csv")) == ["accuracy", "loss"]


def test_without_a_training_there_is_nothing_to_plot(tmp_path):
    write_course(tmp_path / "course", [(0, None, 2.5, 0.125)])
    write_course(tmp_path / "course", [])
    assert read_course(tmp_path / "course") == []
    assert not list((tmp_path / "course").rglob("*.csv"))
