import numpy as np
import pytest
import torchvision
from PIL import Image
from sklearn.datasets import load_digits

from pipeline.analyses.predictions.classes import match_classes
from pipeline.dataset.samples import write_sample
from pipeline.errors import UserError


def test_digits_are_the_scans_of_scikit_learn(tmp_path):
    assert write_sample("digits", tmp_path / "digits") == 1797
    files = sorted((tmp_path / "digits").rglob("*.png"))
    scans = load_digits()
    assert len(files) == 1797
    for path in files[::200]:
        number = int(path.stem)
        assert int(path.parent.name) == scans.target[number]
        np.testing.assert_array_equal(np.asarray(Image.open(path)), np.round(scans.images[number] * 255 / 16))


def test_a_sample_replaces_what_was_there(tmp_path):
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "old.png").touch()
    assert write_sample("none", tmp_path / "none") == 0
    assert list(tmp_path.rglob("*")) == [tmp_path / "none"]


def test_an_unknown_sample_is_refused_with_the_valid_ones(tmp_path):
    with pytest.raises(UserError, match="unknown dataset 'mnist'; valid: letters, digits"):
        write_sample("mnist", tmp_path / "x")


IMAGENETTE = torchvision.datasets.Imagenette._WNID_TO_CLASS


class SmallImagenette:
    """One image of each class in the place of the download, with torchvision's own names of the classes."""

    def __init__(self, root, split, size, download):
        self.classes = list(IMAGENETTE.values())

    def __len__(self):
        return len(self.classes)

    def __getitem__(self, label):
        if label >= len(self):
            raise IndexError
        return Image.new("RGB", (4, 4), (label, 0, 0)), label


def test_classes_of_imagenette_are_outputs_of_the_pretrained_networks(tmp_path, monkeypatch):
    """The preset needs no mapping: each folder is called as torchvision's weights call the class."""
    categories = torchvision.models.AlexNet_Weights.DEFAULT.meta["categories"]
    monkeypatch.setattr("torchvision.datasets.Imagenette", SmallImagenette)
    assert write_sample("imagenette", tmp_path / "imagenette") == 20
    for split in ("train", "test"):
        folders = sorted(path.name for path in (tmp_path / "imagenette" / split).iterdir())
        assert len(folders) == len(IMAGENETTE) == 10
        outputs = match_classes(folders, categories)
        assert [categories[output] for output in outputs] == folders
        assert sorted(outputs.tolist()) == [0, 217, 482, 491, 497, 566, 569, 571, 574, 701]
        for label, synonyms in enumerate(IMAGENETTE.values()):
            images = list((tmp_path / "imagenette" / split / synonyms[0]).iterdir())
            assert [Image.open(path).getpixel((0, 0))[0] for path in images] == [label]
