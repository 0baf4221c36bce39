"""Original images by image_id."""

import numpy as np
import pytest
from PIL import Image

from pipeline.dataset.originals import originals
from pipeline.formats.manifest import open_manifest
from pipeline.images.decoding import ImageError
from tests.small.artifacts import write_manifest_of


@pytest.fixture
def manifest(tmp_path):
    """Five images, the pixel value telling which; the fourth is another one than it was, of the same size."""
    names = [f"c/{number}.png" for number in range(5)]
    (tmp_path / "data/c").mkdir(parents=True)
    for number, name in enumerate(names):
        Image.new("RGB", (6, 4), (number,) * 3).save(tmp_path / "data" / name)
    write_manifest_of(tmp_path / "manifest.h5", tmp_path / "data", names)
    Image.new("RGB", (6, 4), (77, 77, 77)).save(tmp_path / "data" / names[3])
    return tmp_path / "manifest.h5"


def test_images_are_found_by_their_row(manifest):
    with open_manifest(manifest) as file:
        images = originals(file, np.array([4, 1, 1]))
    assert images.image_id.tolist() == [1, 4]
    assert (images.read(4) == 4).all()
    assert images.read(1).shape == (4, 6, 3)
    pixels, length = images.read_sized(1)
    assert pixels.shape == (4, 6, 3)
    assert length == len(images.dataset.read(images.path[1].decode()))


def test_some_of_them_are_read_as_all_are(manifest):
    with open_manifest(manifest) as file:
        some = originals(file, np.array([0, 1, 4])).take(np.array([4, 0, 2]))
    assert some.image_id.tolist() == [0, 4]
    assert (some.read(4) == 4).all()


def test_an_image_that_changed_is_told(manifest):
    with open_manifest(manifest) as file:
        images = originals(file, np.array([0, 3]))
    with pytest.raises(ImageError, match="changed: its bytes are not those"):
        images.read(3)
