import numpy as np
import pytest

from pipeline import store
from pipeline.errors import UserError
from pipeline.formats.thumbnails import VERSION, new_thumbnails, open_thumbnails
from pipeline.images.attributes import PixelAttributes

IMAGE_ID = np.array([0, 2, 5])
PIXELS = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 3)).astype(np.uint8)


def test_what_is_written_is_read_back(tmp_path):
    with new_thumbnails(tmp_path / "thumbnails.h5", IMAGE_ID, 4, made_from={"manifest": "00"}) as writer:
        writer.measured(PixelAttributes(0.1, 0.2, 3, 4, np.nan, 6), 77)
        writer.add(PIXELS[0], 4, 3)
        writer.add(np.zeros_like(PIXELS[1]), 0, 0, "missing: gone")
        writer.add(PIXELS[2], 2, 4)
        assert writer.skipped == {2: "missing: gone"}
    with open_thumbnails(tmp_path / "thumbnails.h5") as found:
        assert found.image_id.tolist() == IMAGE_ID.tolist()
        assert found.size.tolist() == [[4, 3], [0, 0], [2, 4]]
        np.testing.assert_array_equal(found.pixels(slice(2, 3)), PIXELS[2:])
        assert not found.pixels(slice(1, 2)).any()
        assert found.skipped() == {2: "missing: gone"}
        np.testing.assert_allclose(found.attribute("sharpness"), [3, np.nan, np.nan])
        assert found.file_bytes().tolist() == [77, 0, 0]


def test_another_version_is_refused(tmp_path):
    with store.write(tmp_path / "thumbnails.h5", stage="thumbnails", version=VERSION + 1):
        pass
    with pytest.raises(UserError, match="run its stage again"), open_thumbnails(tmp_path / "thumbnails.h5"):
        pass
