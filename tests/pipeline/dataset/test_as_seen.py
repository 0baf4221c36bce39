"""Images as the network sees them, without those that are not what they were."""

import numpy as np
import pytest
from PIL import Image

from pipeline.dataset.as_seen import read_as_seen
from pipeline.errors import UserError
from pipeline.formats.manifest import open_manifest
from pipeline.images.preprocess import Preprocessing
from tests.small.artifacts import write_manifest_of

SMALL = Preprocessing(input_size=(4, 2), resize=None, crop="center")


@pytest.fixture
def manifest(tmp_path):
    """Three images, the pixel value telling which; the second is another one than it was."""
    names = [f"{number}.png" for number in range(3)]
    (tmp_path / "data").mkdir()
    for number, name in enumerate(names):
        Image.new("RGB", (6, 4), (number,) * 3).save(tmp_path / "data" / name)
    write_manifest_of(tmp_path / "manifest.h5", tmp_path / "data", names)
    Image.new("RGB", (6, 4), (77, 77, 77)).save(tmp_path / "data" / names[1])
    with open_manifest(tmp_path / "manifest.h5") as file:
        yield file


def test_images_come_in_the_order_that_is_asked_for_and_what_changed_is_left_out(manifest, caplog):
    kept, pictures = read_as_seen(manifest, np.array([2, 1, 0]), SMALL, stage="probes")
    assert kept == [0, 2]
    assert pictures.shape == (2, 4, 2, 3) and pictures[:, 0, 0, 0].tolist() == [2, 0]
    assert "image 1 cannot be read any more: changed" in caplog.text


def test_where_none_can_be_read_the_stage_says_so(manifest):
    with pytest.raises(UserError, match="^probes: none of 1 images can be read any more; run the manifest"):
        read_as_seen(manifest, np.array([1]), SMALL, stage="probes")
