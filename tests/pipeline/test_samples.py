import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from pipeline.errors import UserError
from pipeline.samples import write_sample


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
    with pytest.raises(UserError, match="unknown dataset 'mnist'; valid: digits"):
        write_sample("mnist", tmp_path / "x")
