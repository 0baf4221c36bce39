"""Which folders become classes and splits, by the way people lay out their datasets."""

import pytest

from pipeline.dataset.dataset import open_dataset
from pipeline.errors import UserError
from pipeline.manifest.scanning import scan


@pytest.fixture
def read(tmp_path):
    """Return a function that makes empty files and scans their folder; names that end in "/" are folders."""

    def read(*names):
        for name in names:
            path = tmp_path / name
            (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
            if not name.endswith("/"):
                path.write_bytes(b"x")
        return scan(open_dataset(tmp_path))

    return read


def told(found):
    """Return label and split of each image by its path."""
    return {record.path: (record.label, record.split) for record in found.records}


def test_a_folder_packed_into_one_of_its_own_name(read):
    found = read("pets/pets/cat/1.png", "pets/pets/dog/1.png", "__MACOSX/pets/cat/._1.png", "pets/README.md")
    assert told(found) == {"pets/pets/cat/1.png": ("cat", None), "pets/pets/dog/1.png": ("dog", None)}
    assert found.classes == ["cat", "dog"]
    assert found.understood == "2 classes, the folders in pets/pets: cat, dog; no splits"
    assert not found.doubts


def test_imagenet_as_it_is_unpacked(read):
    base = "ILSVRC/Data/CLS-LOC"
    found = read(
        f"{base}/train/n01440764/1.JPEG", f"{base}/train/n01443537/1.JPEG", f"{base}/val/2.JPEG",
        "ILSVRC/Annotations/CLS-LOC/val/2.xml", "ILSVRC/ImageSets/CLS-LOC/val.txt",
    )  # fmt: skip
    assert found.classes == ["n01440764", "n01443537"]
    assert told(found) == {
        f"{base}/train/n01440764/1.JPEG": ("n01440764", "train"), f"{base}/val/2.JPEG": (None, "val"),
        f"{base}/train/n01443537/1.JPEG": ("n01443537", "train"),
    }  # fmt: skip
    assert found.doubts == ["no image of the split 'val' has a class"]
    assert found.passed_over == {"files of other names": 2, "folders without an image": 2}


def test_docs_without_an_image_beside_the_splits(read):
    found = read("docs/index.md", "train/cat/1.png", "train/dog/1.png", "val/cat/1.png")
    assert (found.classes, found.doubts) == (["cat", "dog"], [])
    assert {split for _, split in told(found).values()} == {"train", "val"}


def test_docs_with_an_image_beside_the_splits(read):
    found = read(
        "docs/plot.png", "docs/index.md", "logo.png", "train/cat/1.png", "train/dog/1.png", "val/cat/1.png"
    )
    assert found.classes == ["cat", "dog"]
    assert set(told(found)) == {"train/cat/1.png", "train/dog/1.png", "val/cat/1.png"}
    assert found.passed_over["images beside the splits"] == 2
    assert "1 image in docs beside the splits train, val passed over" in found.doubts


def test_splits_packed_into_folders_of_their_own_name(read):
    found = read(
        "training_set/training_set/cats/1.jpg", "training_set/training_set/dogs/1.jpg",
        "test_set/test_set/cats/1.jpg", "test_set/test_set/dogs/1.jpg", "test_set/test_set/_notes/",
    )  # fmt: skip
    assert {told for told in told(found).values()} == {
        ("cats", "train"), ("dogs", "train"), ("cats", "test"), ("dogs", "test"),
    }  # fmt: skip


def test_images_and_labels_of_yolo(read):
    found = read("images/train/1.png", "images/val/2.png", "labels/train/1.txt", "labels/val/2.txt")
    assert told(found) == {"images/train/1.png": (None, "train"), "images/val/2.png": (None, "val")}
    assert found.classes == []
    assert found.understood == "no classes; splits: train, val"


def test_the_same_levels_within_a_folder_of_splits_alone(read):
    found = read("data/train/cat/1.png", "data/train/dog/1.png")
    assert set(told(found).values()) == {("cat", "train"), ("dog", "train")}


def test_one_class_is_read_as_such_and_named(read):
    found = read("cat/1.png", "cat/2.png")
    assert set(told(found).values()) == {("cat", None)}
    assert found.doubts == ["all images are of one class, 'cat'"]


def test_an_image_beside_the_one_folder_stops_the_descent(read):
    found = read("cover.png", "pets/cat/1.png", "pets/dog/1.png")
    assert found.classes == ["pets"]
    assert found.doubts == [
        "all images are of one class, 'pets'",
        "1 image in the topmost folder, beside the folders of the classes, has no class",
    ]


DOUBTFUL = {
    "versions above the classes": (
        ("v1/cat/1.png", "v1/dog/1.png", "v2/cat/1.png", "v2/dog/1.png"),
        "each of the classes v1, v2 holds the same folders: cat, dog",
    ),
    "pictures and masks": (
        ("images/1.png", "masks/1.png"),
        "the class 'masks' is called like a folder of files",
    ),
    "a split beside other folders": (
        ("train/cat/1.png", "extra/1.png"),
        "the class 'train' is called like a split",
    ),
    "images beside the classes": (
        ("cat/1.png", "dog/1.png", "logo.png", "banner.png"),
        "2 images in the topmost folder, beside the folders of the classes, have no class",
    ),
    "an image beside the classes of a split": (
        ("train/cat/1.png", "train/dog/1.png", "val/cat/1.png", "val/2.png"),
        "1 image in val, beside the folders of the classes, has no class",
    ),
    "splits of different classes": (
        ("train/cat/1.png", "val/0/1.png"),
        "the splits train, val have no class",
    ),
}


@pytest.mark.parametrize("situation", DOUBTFUL)
def test_what_looks_wrong_is_said(read, situation):
    names, words = DOUBTFUL[situation]
    assert any(doubt.startswith(words) for doubt in read(*names).doubts)


def test_nothing_is_said_of_usual_class_folders(read):
    assert not read("cat/a/1.png", "cat/2.png", "dog/a/1.png", "dog/b/1.png", "fox/1.png").doubts


def test_a_dataset_of_leftovers_alone(read):
    with pytest.raises(UserError, match=r"holds no image; passed over __MACOSX: 1; give class folders"):
        read("__MACOSX/cat/._1.png")
