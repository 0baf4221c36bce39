import numpy as np
import pytest
from PIL import Image

from pipeline.analyses.directions.examples import find_examples, read_examples
from pipeline.errors import UserError
from pipeline.images.preprocess import Preprocessing

PREPROCESSING = Preprocessing(input_size=(8, 8), resize=(8, 8), crop="none", mean=[0.0] * 3, std=[1.0] * 3)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "red").mkdir()
    (tmp_path / ".gitkeep").touch()
    for number in range(7):
        Image.new("RGB", (9, 9), (30 * number, 0, 0)).save(tmp_path / f"red/{number}.png")
    return tmp_path


def test_examples_are_found_and_read_in_batches(folder):
    found = find_examples(folder)
    assert list(found) == ["red"]
    batches = list(read_examples(folder / "red", found["red"], PREPROCESSING, 3))
    assert [one.shape for one in batches] == [(3, 3, 8, 8), (3, 3, 8, 8), (1, 3, 8, 8)]
    np.testing.assert_allclose(batches[1][0, 0], 90 / 255, rtol=1e-6)
    assert find_examples(folder / "nowhere") == {}


def test_what_cannot_be_read_is_left_out_and_too_few_are_refused(folder):
    (folder / "red/0.png").write_bytes(b"")
    files = find_examples(folder)["red"]
    assert sum(len(one) for one in read_examples(folder / "red", files, PREPROCESSING, 3)) == 6
    (folder / "red/1.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"red: 5 images, a concept needs 6 or more"):
        list(read_examples(folder / "red", files, PREPROCESSING, 3))
    (folder / "red/0.png").unlink()
    (folder / "red/1.png").unlink()
    with pytest.raises(UserError, match=r"red: 5 images"):
        find_examples(folder)


def test_a_file_beside_the_folders_is_refused(folder):
    (folder / "loose.png").touch()
    with pytest.raises(UserError, match=r"loose\.png: lies in no concept's folder"):
        find_examples(folder)
