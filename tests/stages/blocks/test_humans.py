"""The block humans: answers are read before any stage runs."""

from types import SimpleNamespace

import pytest
from PIL import Image

from pipeline.errors import UserError
from stages.blocks import humans

PARAMS = humans.Params(run=True, annotators=5, many=5, bins=2, repeats=100, seed=0)


@pytest.fixture
def check(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inputs/humans").mkdir(parents=True)

    def made(text, folder="pictures", run=True):
        (tmp_path / "inputs/humans/anna.csv").write_text(text)
        params = PARAMS.model_copy(update={"run": run})
        humans.check({"humans": params, "dataset": SimpleNamespace(path=folder)}, None)

    for name in ("cat/1.png", "dog/2.png"):
        (tmp_path / "pictures" / name).parent.mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "pictures" / name)
    return made


def test_images_and_labels_are_those_of_the_dataset(check):
    check("path,label\ncat/1.png,cat\n")
    with pytest.raises(UserError, match="line 2: no image 'cat/3.png'"):
        check("path,label\ncat/3.png,cat\n")
    with pytest.raises(UserError, match="line 2: the label 'fox'"):
        check("path,label\ncat/1.png,fox\n")


def test_choices_are_read_too(check):
    check("layer,unit,left,right,more\nconv,0,cat/1.png,dog/2.png,left\n")
    with pytest.raises(UserError, match="line 2: no image 'cat/3.png'"):
        check("layer,unit,left,right,more\nconv,0,cat/3.png,dog/2.png,left\n")


def test_of_a_dataset_that_is_made_later_only_the_form_is_read(check):
    check("path,label\nany.png,any\n", folder="later")
    with pytest.raises(UserError, match="line 2: the label is empty"):
        check("path,label\nany.png,\n", folder="later")


def test_left_out_it_reads_nothing(check):
    check("nonsense\n", run=False)
