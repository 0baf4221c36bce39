"""Original images by image_id."""

import numpy as np
import pytest
from PIL import Image

from pipeline import store
from pipeline.dataset.originals import originals, take_rows
from pipeline.images.decoding import ImageError


@pytest.fixture
def manifest(tmp_path):
    """Five images, the pixel value telling which; the fourth is another one than it was, of the same size."""
    names = [f"c/{number}.png" for number in range(5)]
    (tmp_path / "data/c").mkdir(parents=True)
    for number, name in enumerate(names):
        Image.new("RGB", (6, 4), (number,) * 3).save(tmp_path / "data" / name)
    with store.write(tmp_path / "manifest.h5", stage="manifest") as file:
        file.set_attributes("", {"dataset": str(tmp_path / "data")})
        file.put_strings("path", names)
        file.put_strings("sha256", [store.digest(tmp_path / "data" / name) for name in names])
    Image.new("RGB", (6, 4), (77, 77, 77)).save(tmp_path / "data" / names[3])
    return tmp_path / "manifest.h5"


def test_images_are_found_by_their_row(manifest):
    with store.read(manifest) as file:
        images = originals(file, np.array([4, 1, 1]))
    assert images.image_id.tolist() == [1, 4]
    assert (images.read(4) == 4).all()
    assert images.read(1).shape == (4, 6, 3)


def test_an_image_that_changed_is_told(manifest):
    with store.read(manifest) as file:
        images = originals(file, np.array([0, 3]))
    with pytest.raises(ImageError, match="changed: its bytes are not those"):
        images.read(3)


def test_take_rows_reads_what_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.dataset.originals._STEP", 4)
    values = np.arange(30).reshape(15, 2)
    with store.write(tmp_path / "x.h5", stage="x") as file:
        file.put("values", values)
        file.put_strings("names", [f"n{row}" for row in range(15)])
    with store.read(tmp_path / "x.h5") as file:
        for rows in ([14, 3, 3, 0, 9], [], [5]):
            wanted = np.array(rows, np.int64)
            np.testing.assert_array_equal(take_rows(file, "values", wanted), values[wanted])
        assert take_rows(file, "names", np.array([12, 4])).tolist() == [b"n12", b"n4"]
