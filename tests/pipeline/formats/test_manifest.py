from dataclasses import replace

import numpy as np
import pytest

from pipeline import store
from pipeline.errors import UserError
from pipeline.formats.manifest import VERSION, Manifest, Skipped, open_manifest, write_manifest

MANIFEST = Manifest(
    path=["a/é.png", "b/1.png", "b/2.png"],
    label=np.array([0, 1, -1], np.int32),
    class_names=["a", "b"],
    split=["train", "test", "train"],
    size=np.array([[8, 6], [10, 12], [3, 4]], np.int32),
    sha256=["aa" * 32, "bb" * 32, "aa" * 32],
    attributes={"age": np.array([1.0, np.nan, 3.0]), "place": ["x", "", "y"]},
    box_image=np.array([1]),
    box=np.array([[0, 0, 5, 5]], np.float32),
    skipped=[Skipped("c.png", "zero bytes", "it is empty")],
    notes=[("b/1.png", "odd"), ("b/2.png", "odder")],
)


@pytest.fixture
def path(tmp_path):
    write_manifest(MANIFEST, tmp_path / "manifest.h5", dataset="data/x", max_bad_fraction=0.25, params="00")
    return tmp_path / "manifest.h5"


def test_what_is_written_is_read_back(path):
    with open_manifest(path) as found:
        assert (found.dataset, found.max_bad_fraction, found.duplicates) == ("data/x", 0.25, 1)
        assert found.class_names == ("a", "b")
        assert len(found) == 3
        assert found.path() == MANIFEST.path
        assert found.path(slice(1, 3)) == MANIFEST.path[1:]
        assert found.sha256() == MANIFEST.sha256
        assert found.label().dtype == np.int32
        assert found.label().tolist() == [0, 1, -1]
        assert found.split() == MANIFEST.split
        np.testing.assert_array_equal(np.stack(found.size(), 1), MANIFEST.size)
        assert found.skipped() == MANIFEST.skipped
        assert found.notes() == MANIFEST.notes
        assert found.attribute("place") == ["x", "", "y"] and set(found.attributes()) == {"age", "place"}
        image, box = found.boxes()
        assert (image.tolist(), box.tolist()) == ([1], MANIFEST.box.tolist())


def test_some_images_are_read_in_the_order_asked_for(path):
    rows = np.array([2, 0, 2])
    with open_manifest(path) as found:
        assert [name.decode() for name in found.take_path(rows)] == ["b/2.png", "a/é.png", "b/2.png"]
        assert found.take_label(rows).tolist() == [-1, 0, -1]
        assert found.take_sha256(rows[:1]).tolist() == [b"aa" * 32]


def test_what_further_analyses_may_use_is_there(path):
    with store.read(path, version=VERSION) as file:
        np.testing.assert_array_equal(file.get("attributes/age"), MANIFEST.attributes["age"])
        assert file.strings("attributes/place") == ["x", "", "y"]
        assert file.get("boxes/image_id").tolist() == [1]
        assert file.get("boxes/box").tolist() == MANIFEST.box.tolist()


def test_a_dataset_without_boxes_has_none(tmp_path):
    plain = replace(
        MANIFEST, box_image=np.zeros(0, np.int64), box=np.zeros((0, 4), np.float32), attributes={}
    )
    write_manifest(plain, tmp_path / "manifest.h5", dataset="data/x", max_bad_fraction=0, params="00")
    with store.read(tmp_path / "manifest.h5", version=VERSION) as file:
        assert not {"boxes", "attributes"} & set(file.children())
    with open_manifest(tmp_path / "manifest.h5") as found:
        assert found.attribute_names() == [] and [len(part) for part in found.boxes()] == [0, 0]


def test_where_nothing_is_odd_there_are_no_notes(tmp_path):
    write_manifest(
        replace(MANIFEST, notes=()), tmp_path / "m.h5", dataset="x", max_bad_fraction=0, params="00"
    )
    with open_manifest(tmp_path / "m.h5") as found:
        assert found.notes() == []


def test_another_version_is_refused(tmp_path):
    with store.write(tmp_path / "manifest.h5", stage="manifest", version=VERSION + 1):
        pass
    with pytest.raises(UserError, match="run its stage again"), open_manifest(tmp_path / "manifest.h5"):
        pass
