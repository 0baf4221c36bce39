"""The stage `thumbnails` on a small dataset."""

import numpy as np
import pytest
from PIL import Image

from pipeline import store
from pipeline.errors import UserError
from stages import thumbnails
from tests.small.artifacts import write_manifest_of


@pytest.fixture
def paths(tmp_path):
    (tmp_path / "data/c").mkdir(parents=True)
    names = [f"c/{number}.png" for number in range(7)]
    for number, name in enumerate(names):
        Image.new("RGB", (20, 10), (10 * number + 1,) * 3).save(tmp_path / "data" / name)
    manifest = write_manifest_of(tmp_path / "manifest.h5", tmp_path / "data", names)
    return {"manifest": manifest, "out": tmp_path / "out/thumbnails.h5"}


def test_every_image_has_its_thumbnail(paths):
    thumbnails.run(thumbnails.Params(side=16), paths)
    with store.read(paths["out"], version=None) as file:
        assert file.get("image_id").tolist() == list(range(7))
        assert file.get("thumbnail").shape == (7, 16, 16, 3)
        assert file.get("thumbnail")[:, 8, 8, 0].tolist() == [10 * number + 1 for number in range(7)]
        assert set(file.get("width")) == {16}
        assert set(file.get("height")) == {8}
        assert file.get("skipped/image_id").tolist() == []
        expected = [(10 * number + 1) / 255 for number in range(7)]
        assert file.get("attribute/brightness").tolist() == pytest.approx(expected, rel=1e-5)
        files = sorted((paths["manifest"].parent / "data/c").iterdir())
        assert file.get("file_bytes").tolist() == [one.stat().st_size for one in files]


def test_equal_inputs_give_equal_bytes_whatever_the_threads(paths, monkeypatch):
    contents = []
    for workers in ("1", "4"):
        monkeypatch.setenv("CONVATLAS_WORKERS", workers)
        thumbnails.run(thumbnails.Params(side=16), paths)
        contents.append(paths["out"].read_bytes())
    assert contents[0] == contents[1]


def test_a_missing_image_is_skipped_and_told_all_missing_is_an_error(paths):
    images = sorted((paths["manifest"].parent / "data/c").iterdir())
    images[2].unlink()
    thumbnails.run(thumbnails.Params(side=16), paths)
    with store.read(paths["out"], version=None) as file:
        assert file.get("skipped/image_id").tolist() == [2]
        assert "missing" in file.strings("skipped/reason")[0]
        assert file.get("width")[2] == 0
        assert file.get("file_bytes")[2] == 0 and np.isnan(file.get("attribute/contrast")[2])
    before = paths["out"].read_bytes()
    for image in images[:2] + images[3:]:
        image.unlink()
    with pytest.raises(UserError, match="none of 7 images can be read"):
        thumbnails.run(thumbnails.Params(side=16), paths)
    assert paths["out"].read_bytes() == before
