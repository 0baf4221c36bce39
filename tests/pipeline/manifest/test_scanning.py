"""What is found in folders and tar files, and how it is labelled."""

import io
import json
import os
import tarfile

import pytest

from pipeline.dataset.dataset import open_dataset
from pipeline.errors import UserError
from pipeline.manifest.scanning import scan


def make(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return open_dataset(root)


def make_tar(path, members):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def found(dataset):
    return [(record.path, record.label, record.split) for record in scan(dataset).records]


def test_class_folders(tmp_path):
    dataset = make(tmp_path, "dog/b.png", "cat/deep/er/a.JPEG", "cat/a.png", "top.png", "dog/a.png")
    assert found(dataset) == [
        ("cat/a.png", "cat", None), ("cat/deep/er/a.JPEG", "cat", None), ("dog/a.png", "dog", None),
        ("dog/b.png", "dog", None), ("top.png", None, None),
    ]  # fmt: skip
    assert scan(dataset).classes == ["cat", "dog"]


def test_sizes_and_times(tmp_path):
    dataset = make(tmp_path, "a/1.png")
    os.utime(tmp_path / "a/1.png", ns=(5, 77))
    record = scan(dataset).records[0]
    assert (record.size, record.mtime) == (1, 77)
    assert record.ctime == (tmp_path / "a/1.png").stat().st_ctime_ns


def test_sorted_by_the_bytes_of_the_path(tmp_path):
    dataset = make(tmp_path, "a/é.png", "a/z.png", "a/\U0001f600.png", "a/\uff5e.png", "a b/1.png", "a/B.png")
    paths = [record.path for record in scan(dataset).records]
    assert paths == sorted(paths, key=str.encode)
    assert len(paths) == 6


@pytest.mark.parametrize(
    "names", [("train", "test"), ("train", "val"), ("Training", "Validation"), ("test",)]
)
def test_folders_of_splits(tmp_path, names):
    dataset = make(tmp_path, *(f"{name}/{label}/1.png" for name in names for label in ("cat", "dog")))
    (tmp_path / "annotations").mkdir()
    assert {split for _, _, split in found(dataset)} <= {"train", "val", "test"}
    assert [label for _, label, _ in found(dataset)] == ["cat", "dog"] * len(names)
    assert scan(dataset).classes == ["cat", "dog"]


def test_a_class_named_test_beside_others_is_a_class(tmp_path):
    dataset = make(tmp_path, "test/1.png", "exam/1.png")
    assert found(dataset) == [("exam/1.png", "exam", None), ("test/1.png", "test", None)]


def test_classes_that_are_numbers_are_sorted_as_numbers(tmp_path):
    dataset = make(tmp_path, "10/a.png", "9/a.png", "0/a.png")
    assert scan(dataset).classes == ["0", "9", "10"]


def test_an_empty_class_is_a_class(tmp_path):
    dataset = make(tmp_path, "cat/1.png")
    (tmp_path / "dog").mkdir()
    assert scan(dataset).classes == ["cat", "dog"]


def test_unlabelled(tmp_path):
    dataset = make(tmp_path, "1.png", "2.png")
    assert found(dataset) == [("1.png", None, None), ("2.png", None, None)]
    assert scan(dataset).classes == []


def test_other_files_are_passed_over_and_counted(tmp_path):
    dataset = make(tmp_path, "a/1.png", "README.md", "a/labels.csv", ".hidden.png", ".git/1.png", "a/._1.png")
    assert found(dataset) == [("a/1.png", "a", None)]
    assert scan(dataset).passed_over == {"files of other names": 2, "hidden": 2, "._*": 1}


def test_formats_that_are_refused_are_found(tmp_path):
    dataset = make(tmp_path, "a/1.heic", "a/2.pdf", "a/3.tga")
    assert len(scan(dataset).records) == 3


def test_without_an_extension_the_first_bytes_decide(tmp_path):
    dataset = make(tmp_path, "a/1.png", "README", "LICENSE", "a/text")
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / "a/photo").write_bytes(b"\xff\xd8\xff\xe0 and so on")
    (tmp_path / "a/paper").write_bytes(b"%PDF-1.7")
    assert [path for path, _, _ in found(dataset)] == ["a/1.png", "a/paper", "a/photo"]
    assert scan(dataset).passed_over == {"files of other names": 4}


def test_the_same_name_in_two_classes(tmp_path):
    dataset = make(tmp_path, "a/1.png", "b/1.png")
    assert [path for path, _, _ in found(dataset)] == ["a/1.png", "b/1.png"]


def test_empty_folder(tmp_path):
    with pytest.raises(UserError, match="holds no image"):
        scan(make(tmp_path))
    with pytest.raises(UserError, match="passed over files of other names: 1; give class folders"):
        scan(make(tmp_path, "x.txt"))
    (tmp_path / "a.tar.gz").write_bytes(b"x")
    with pytest.raises(UserError, match="compressed"):
        scan(open_dataset(tmp_path))


def test_pipes_loops_and_broken_links_are_skipped(tmp_path):
    dataset = make(tmp_path, "a/1.png")
    os.mkfifo(tmp_path / "a/pipe.png")
    (tmp_path / "a/loop").symlink_to("..")
    (tmp_path / "a/self.png").symlink_to("self.png")
    (tmp_path / "a/broken.png").symlink_to("nothing")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/c").symlink_to("../a")
    assert [path for path, _, _ in found(dataset)] == ["a/1.png", "b/c/1.png"]
    skipped = {item.path: item.reason for item in scan(dataset).skipped}
    assert skipped == {
        "a/broken.png": "missing", "a/loop": "not a file", "a/pipe.png": "not a file",
        "a/self.png": "not a file", "b/c/broken.png": "missing", "b/c/loop": "not a file",
        "b/c/pipe.png": "not a file", "b/c/self.png": "not a file",
    }  # fmt: skip


@pytest.mark.parametrize("target", ["..", "../secret.png"])
def test_links_that_leave_fail(tmp_path, target):
    (tmp_path / "secret.png").write_bytes(b"x")
    dataset = make(tmp_path / "images", "1.png")
    (tmp_path / "images/out.png").symlink_to(target)
    with pytest.raises(UserError, match=r"out\.png.*leads out"):
        scan(dataset)


def test_names_that_are_not_utf8(tmp_path):
    dataset = make(tmp_path, os.fsdecode(b"caf\xe9/1\n.png"))
    assert found(dataset) == [("caf\\xe9/1\\x0a.png", "caf\\xe9", None)]


@pytest.mark.parametrize("extension", ["cls", "txt", "json"])
def test_tar_files_with_labels(tmp_path, extension):
    def label(text):
        return json.dumps({"label": text}).encode() if extension == "json" else f"{text}\n".encode()

    make_tar(tmp_path / "0.tar", {"1.jpg": b"x", f"1.{extension}": label("cat")})
    make_tar(
        tmp_path / "more/1.tar", {f"./1.{extension}": label("dog"), "./1.seg.png": b"x", "./1.JPG": b"x"}
    )
    assert found(open_dataset(tmp_path)) == [
        ("0.tar/1.jpg", "cat", None), ("more/1.tar/1.JPG", "dog", None),
        ("more/1.tar/1.seg.png", "dog", None),
    ]  # fmt: skip


def test_tar_members_in_class_folders(tmp_path):
    shard = make_tar(
        tmp_path / "images.tar", {"test/cat/1.jpg": b"x", "test/dog/1.jpg": b"x", "test/x.md": b"x"}
    )
    assert found(open_dataset(shard)) == [
        ("images.tar/test/cat/1.jpg", "cat", "test"), ("images.tar/test/dog/1.jpg", "dog", "test"),
    ]  # fmt: skip
    assert scan(open_dataset(shard)).passed_over == {"files of other names": 1}


def test_splits_in_the_names_of_tar_files(tmp_path):
    for name in ("train-00", "train_01", "val.0", "test0"):
        make_tar(tmp_path / f"{name}.tar", {"1.jpg": b"x", "1.cls": b"3"})
    assert [split for _, _, split in found(open_dataset(tmp_path))] == ["test", "train", "train", "val"]
    make_tar(tmp_path / "extra.tar", {"1.jpg": b"x", "1.cls": b"3"})
    with pytest.raises(UserError, match="extra.tar/1.jpg.*no split"):
        scan(open_dataset(tmp_path))


def test_annotations_in_json(tmp_path):
    content = {
        "label": 4,
        "split": "val",
        "boxes": [[0, 1, 2, 3.5]],
        "scale": 0.5,
        "where": "sea",
        "a/b": 1,
        "a\0": 1,
        "list": [1],
    }
    make_tar(tmp_path / "0.tar", {"1.jpg": b"x", "1.json": json.dumps(content).encode()})
    record = scan(open_dataset(tmp_path)).records[0]
    assert (record.label, record.split, record.boxes) == ("4", "val", ((0.0, 1.0, 2.0, 3.5),))
    assert record.attributes == {"scale": "0.5", "where": "sea"}


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"1.cls": b""}, "1.cls.*missing"),
        ({"1.cls": b"-1"}, "1.cls.*out of range"),
        ({"1.cls": b"\xff"}, "1.cls.*UTF-8"),
        ({"1.txt": b"a\nb"}, "1.txt.*line 2: 'b', but a label is one line.*caption"),
        ({"1.json": b"{"}, "1.json.*JSON"),
        ({"1.json": b'{"label": [1]}'}, "1.json.*neither"),
        ({"1.json": b'{"boxes": [[1, 2]]}'}, "1.json.*four numbers"),
        ({"1.json": b'{"boxes": [[3, 0, 1, 2]]}'}, "1.json.*x0 < x1"),
        ({"1.json": b'{"boxes": [[3, 0, 1%s, 2]]}' % (b"0" * 400)}, "1.json.*four numbers"),
        ({"1.json": b'{"boxes": [[3, 0, 1e300, 2]]}'}, "1.json.*x0 < x1"),
        ({"1.json": b'{"label": "\\ud800"}'}, "1.json.*surrogates"),
        ({"1.json": b'{"label": "a", "\\udfff": 1}'}, "1.json.*surrogates"),
        ({"2.jpg": b"x", "2.cls": b"a"}, "1.jpg.*no label"),
        ({"../2.jpg": b"x"}, "leads out"),
        ({"/2.jpg": b"x"}, "leads out"),
    ],
)
def test_mistakes_in_tar_files_are_named(tmp_path, members, words):
    make_tar(tmp_path / "0.tar", {"1.jpg": b"x", **members})
    with pytest.raises(UserError, match=words):
        scan(open_dataset(tmp_path))


def test_links_in_tar_files_are_skipped(tmp_path):
    with tarfile.open(make_tar(tmp_path / "0.tar", {"1.jpg": b"x"}), "a") as tar:
        info = tarfile.TarInfo("2.jpg")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(info)
    assert [item.path for item in scan(open_dataset(tmp_path)).skipped] == ["0.tar/2.jpg"]


def test_a_name_twice_in_a_tar_file(tmp_path):
    with tarfile.open(make_tar(tmp_path / "0.tar", {"1.jpg": b"x"}), "a") as tar:
        tar.addfile(tarfile.TarInfo("1.jpg"))
    with pytest.raises(UserError, match="occurs twice"):
        scan(open_dataset(tmp_path))


@pytest.mark.parametrize("size", [0, 100, 512, 700, 1024, 1500, 2048 + 100, 10240 - 512 * 15])
def test_a_cut_tar_file_fails(tmp_path, size):
    shard = make_tar(tmp_path / "0.tar", {"1.jpg": b"x" * 600, "2.jpg": b"y" * 600})
    shard.write_bytes(shard.read_bytes()[:size])
    with pytest.raises(UserError, match=r"0\.tar"):
        scan(open_dataset(shard))


def test_a_broken_header_within_a_tar_file_fails(tmp_path):
    shard = make_tar(tmp_path / "0.tar", {"1.jpg": b"x", "2.jpg": b"y"})
    data = bytearray(shard.read_bytes())
    data[1024 + 150] ^= 1
    shard.write_bytes(data)
    with pytest.raises(UserError, match=r"0\.tar.*1024"):
        scan(open_dataset(shard))


LEFT_BEHIND = [
    "cat/._1.png", "__MACOSX/cat/._1.png", "__MACOSX/cat/1.png", "lost+found/#1234.png", "cat/Thumbs.db",
    "cat/.ipynb_checkpoints/1-checkpoint.png", "cat/.DS_Store", "System Volume Information/x.png",
    "@eaDir/1.jpg", "$RECYCLE.BIN/1.png", "cat/desktop.ini", "Icon\r", "cat/.hidden.png",
]  # fmt: skip


def test_what_systems_leave_behind_in_folders_is_passed_over(tmp_path):
    dataset = make(tmp_path, "cat/1.png", "dog/1.png", *LEFT_BEHIND)
    assert found(dataset) == [("cat/1.png", "cat", None), ("dog/1.png", "dog", None)]
    assert scan(dataset).classes == ["cat", "dog"]
    assert scan(dataset).passed_over == {
        "._*": 1, "__MACOSX": 1, "lost+found": 1, "Thumbs.db": 1, ".ipynb_checkpoints": 1, ".DS_Store": 1,
        "System Volume Information": 1, "@eaDir": 1, "$RECYCLE.BIN": 1, "desktop.ini": 1, "Icon\\x0d": 1,
        "hidden": 1,
    }  # fmt: skip


def test_what_systems_leave_behind_in_tar_files_is_passed_over(tmp_path):
    members = {name: b"x" for name in ("cat/1.png", "dog/1.png", *LEFT_BEHIND)}
    shard = open_dataset(make_tar(tmp_path / "images.tar", members))
    assert [path for path, _, _ in found(shard)] == ["images.tar/cat/1.png", "images.tar/dog/1.png"]
    assert scan(shard).classes == ["cat", "dog"]
    assert scan(shard).passed_over.total() == len(LEFT_BEHIND)
    assert scan(shard).passed_over["__MACOSX"] == 2
    assert scan(shard).passed_over["._*"] == 1


def test_apple_doubles_of_annotations_are_no_annotations(tmp_path):
    members = {"0.png": b"x", "._0.png": b"\0\5\x16\7", "0.cls": b"3", "._0.cls": b"\0\5\x16\7\xff"}
    assert found(open_dataset(make_tar(tmp_path / "0.tar", members))) == [("0.tar/0.png", "3", None)]


def test_a_folder_of_other_files_beside_the_classes_is_no_class(tmp_path):
    dataset = make(
        tmp_path, "cat/1.png", "dog/1.png", "annotations/xmls/1.xml", "docs/a.md", "cat/extra/a.txt"
    )
    (tmp_path / "fox").mkdir()
    assert scan(dataset).classes == ["cat", "dog", "fox"]
    assert scan(dataset).passed_over == {"files of other names": 3, "folders without an image": 2}


def test_images_in_dvcs_cache_are_read_where_links_lead_there(tmp_path):
    stored = tmp_path / "project/.dvc/cache/files/md5/82/d272eade06e0bfa8ce187442344142"
    stored.parent.mkdir(parents=True)
    stored.write_bytes(b"image")
    (tmp_path / "images/cat").mkdir(parents=True)
    (tmp_path / "images/cat/1.png").symlink_to(stored)
    os.link(stored, tmp_path / "images/cat/2.png")
    dataset = open_dataset(tmp_path / "images")
    assert [path for path, _, _ in found(dataset)] == ["cat/1.png", "cat/2.png"]
    assert scan(dataset).records[0].size == 5
    assert dataset.read("cat/1.png") == dataset.read("cat/2.png") == b"image"


def test_links_elsewhere_are_refused_without_the_advice_to_remove_data(tmp_path):
    make(tmp_path / "elsewhere", "1.png")
    dataset = make(tmp_path / "images", "cat/2.png")
    (tmp_path / "images/cat/1.png").symlink_to(tmp_path / "elsewhere/1.png")
    with pytest.raises(
        UserError, match=r"cat/1\.png' is a link.*elsewhere/1\.png; put a copy.*# root"
    ) as caught:
        scan(dataset)
    assert "remove" not in str(caught.value)
