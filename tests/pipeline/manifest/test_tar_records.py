"""Which annotation in a tar file belongs to which image."""

import io
import json
import tarfile

import pytest

from pipeline.errors import UserError
from pipeline.manifest.record import Record
from pipeline.manifest.tar_records import scan_tar

IMAGES = frozenset(("png", "jpg"))


@pytest.fixture
def labels(tmp_path):
    """Return a function that packs members and returns the label of each image."""

    def labels(*members):
        pack(tmp_path / "0.tar", members)
        found = [item for item in scan_tar(tmp_path / "0.tar", "0.tar", IMAGES) if isinstance(item, Record)]
        return {record.path.removeprefix("0.tar/"): record.label for record in found}

    return labels


def pack(path, members):
    """Write members; of a name alone an image, of a pair the content."""
    with tarfile.open(path, "w") as tar:
        for member in members:
            name, content = (member, b"x") if isinstance(member, str) else member
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def test_names_with_dots_keep_their_own_labels(labels):
    members = [name for n in range(20) for name in (f"22.{n:02}.png", (f"22.{n:02}.cls", b"%d" % n))]
    assert labels(*members) == {f"22.{n:02}.png": str(n) for n in range(20)}


def test_dates_in_names_keep_their_own_labels(labels):
    given = labels(
        "a/2024.05.01.jpg", ("a/2024.05.01.json", json.dumps({"label": "may"}).encode()),
        "a/2024.06.01.jpg", ("a/2024.06.01.json", json.dumps({"label": "june"}).encode()),
    )  # fmt: skip
    assert given == {"a/2024.05.01.jpg": "may", "a/2024.06.01.jpg": "june"}


def test_one_annotation_for_several_images_of_one_key(labels):
    assert labels("1.left.png", "1.right.png", ("1.cls", b"cat")) == {
        "1.left.png": "cat",
        "1.right.png": "cat",
    }
    assert labels("1.jpg", "1.seg.png", ("1.label.cls", b"dog")) == {"1.jpg": "dog", "1.seg.png": "dog"}


def test_the_longest_common_stem_decides(labels):
    given = labels("1.png", "1.a.png", "1.a.b.png", ("1.cls", b"0"), ("1.a.cls", b"1"))
    assert given == {"1.png": "0", "1.a.png": "1", "1.a.b.png": "1"}


def test_annotations_called_like_the_whole_file(labels):
    given = labels("22.05.png", ("22.05.png.cls", b"5"), "22.06.png", ("22.06.png.cls", b"6"))
    assert given == {"22.05.png": "5", "22.06.png": "6"}


def test_the_annotation_of_another_image_is_not_taken(labels):
    assert labels("22.05.png", "22.06.png", ("22.06.cls", b"6")) == {"22.05.png": None, "22.06.png": "6"}


def test_two_annotations_of_a_kind_for_one_key_are_refused_by_name(labels):
    with pytest.raises(UserError, match=r"'1\.a\.cls' and '1\.b\.cls' have the key '1'.*of '1\.png'"):
        labels("1.png", ("1.a.cls", b"0"), ("1.b.cls", b"1"))
    with pytest.raises(UserError, match=r"'22\.05\.cls' and '22\.07\.cls'.*of '22\.06\.png'"):
        labels("22.05.png", "22.06.png", ("22.05.cls", b"5"), ("22.07.cls", b"7"))
    with pytest.raises(UserError, match=r"'1\.cls' and '1\.CLS'"):
        labels("1.png", ("1.cls", b"0"), ("1.CLS", b"1"))


def test_a_caption_beside_a_class_is_no_label(labels):
    caption = b"A cat on a mat.\nIt sleeps."
    assert labels("1.png", ("1.cls", b"cat"), ("1.txt", caption)) == {"1.png": "cat"}
    with pytest.raises(
        UserError, match=r"'1\.txt': line 2: 'It sleeps\.', but a label is one line.*\.cls or"
    ):
        labels("1.png", ("1.txt", caption))


def test_keys_do_not_reach_across_folders(labels):
    assert labels("a/1.png", "b/1.png", ("a/1.cls", b"0")) == {"a/1.png": "0", "b/1.png": None}
    assert labels("a.b/1.png", ("a.b/1.cls", b"0")) == {"a.b/1.png": "0"}


def test_annotations_of_no_image_are_counted(tmp_path):
    pack(tmp_path / "0.tar", ["1.png", ("1.cls", b"0"), ("2.cls", b"0"), ("coco.json", b"{}"), "notes.md"])
    passed = [item for item in scan_tar(tmp_path / "0.tar", "0.tar", IMAGES) if isinstance(item, str)]
    assert sorted(passed) == ["annotations of no image", "annotations of no image", "files of other names"]


@pytest.mark.parametrize(
    ("kind", "content"), [("cls", "cat"), ("txt", "cat\r\n"), ("json", '{"label": "cat"}')]
)
def test_the_mark_of_windows_before_a_text_is_no_part_of_the_label(labels, kind, content):
    assert labels("1.png", (f"1.{kind}", content.encode("utf-8-sig"))) == {"1.png": "cat"}
