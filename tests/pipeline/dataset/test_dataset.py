"""Reading one image by its path, and what must not be read."""

import io
import os
import pickle
import tarfile

import numpy as np
import pytest
from PIL import Image

from pipeline.dataset.dataset import open_dataset
from pipeline.errors import UserError
from pipeline.images.decoding import ImageError


def image_bytes(value=7):
    stream = io.BytesIO()
    Image.fromarray(np.full((4, 6, 3), value, np.uint8)).save(stream, "png")
    return stream.getvalue()


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "images"
    (root / "cat").mkdir(parents=True)
    (root / "cat" / "1.png").write_bytes(image_bytes())
    return root


def reason(dataset, path):
    with pytest.raises(ImageError) as error:
        dataset.read(path)
    return error.value.reason


def test_folder_tar_and_csv_give_the_same_bytes(folder, tmp_path):
    with tarfile.open(tmp_path / "shard.tar", "w") as tar:
        tar.add(folder, arcname=".")
    (tmp_path / "list.csv").write_text("# root: images\npath\ncat/1.png\n")
    expected = image_bytes()
    assert open_dataset(folder).read("cat/1.png") == expected
    assert open_dataset(tmp_path / "shard.tar").read("shard.tar/cat/1.png") == expected
    assert open_dataset(tmp_path).read("shard.tar/cat/1.png") == expected
    assert open_dataset(tmp_path / "list.csv").read("cat/1.png") == expected


def test_a_dataset_survives_pickling_and_another_working_directory(folder, monkeypatch, tmp_path):
    monkeypatch.chdir(folder.parent)
    dataset = pickle.loads(pickle.dumps(open_dataset("images")))
    monkeypatch.chdir(tmp_path / "images" / "cat")
    assert dataset.read("cat/1.png") == image_bytes()


@pytest.mark.parametrize(
    "path", ["../secret.png", "cat/../../secret.png", "/etc/passwd", "secret.tar/../../x"]
)
def test_paths_that_leave_are_refused(folder, path):
    (folder.parent / "secret.png").write_bytes(image_bytes())
    with pytest.raises(UserError, match="leads out of the dataset"):
        open_dataset(folder).read(path)


def test_links_that_leave_are_refused(folder):
    (folder.parent / "secret.png").write_bytes(image_bytes())
    (folder / "cat" / "2.png").symlink_to(folder.parent / "secret.png")
    (folder / "dog").symlink_to(folder.parent)
    for path in ("cat/2.png", "dog/secret.png"):
        with pytest.raises(UserError, match="leads out of the dataset"):
            open_dataset(folder).read(path)


def test_links_that_stay_are_followed(folder):
    (folder / "cat" / "2.png").symlink_to("1.png")
    (folder / "dog").symlink_to("cat")
    dataset = open_dataset(folder)
    assert dataset.read("cat/2.png") == dataset.read("dog/1.png") == image_bytes()


def test_a_linked_root_is_no_way_out(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    assert open_dataset(tmp_path / "link").read("cat/1.png") == image_bytes()


def test_what_is_no_file_neither_hangs_nor_reads(folder):
    os.mkfifo(folder / "cat" / "pipe.png")
    (folder / "cat" / "loop.png").symlink_to("loop.png")
    (folder / "cat" / "broken.png").symlink_to("nothing.png")
    dataset = open_dataset(folder)
    assert reason(dataset, "cat/pipe.png") == "not a file"
    assert reason(dataset, "cat/loop.png") == "not a file"
    assert reason(dataset, "cat/broken.png") == "missing"
    assert reason(dataset, "cat") == "not a file"
    assert reason(dataset, "cat/9.png") == "missing"
    assert reason(dataset, "cat/1.png/2.png") in ("missing", "not a file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable(folder):
    (folder / "cat" / "1.png").chmod(0)
    assert reason(open_dataset(folder), "cat/1.png") == "unreadable"


def test_permission_error_is_unreadable(folder, monkeypatch):
    def refuse(*_arguments, **_options):
        raise PermissionError(13, "Permission denied")

    dataset = open_dataset(folder)
    dataset.read("cat/1.png")
    monkeypatch.setattr(os, "open", refuse)
    assert reason(dataset, "cat/1.png") == "unreadable"


def test_huge_files_are_not_read(folder):
    with (folder / "cat" / "huge.png").open("wb") as file:
        file.truncate(1 << 40)
    assert reason(open_dataset(folder), "cat/huge.png") == "too large"


def test_names_that_are_not_utf8(folder):
    name = b"caf\xe9.png"
    (folder / os.fsdecode(b"cat/" + name)).write_bytes(image_bytes(9))
    assert open_dataset(folder).read("cat/caf\\xe9.png") == image_bytes(9)


def test_missing_member_and_changed_tar(folder, tmp_path):
    shard = tmp_path / "shard.tar"
    with tarfile.open(shard, "w") as tar:
        tar.add(folder / "cat" / "1.png", arcname="1.png")
    dataset = open_dataset(shard)
    assert reason(dataset, "shard.tar/2.png") == "missing"
    with tarfile.open(shard, "w") as tar:
        tar.add(folder / "cat" / "1.png", arcname="2.png")
    os.utime(shard, ns=(1, 1))
    assert dataset.read("shard.tar/2.png") == image_bytes()


@pytest.mark.parametrize("name", ["images.zip", "images.tar.gz"])
def test_a_compressed_archive_is_to_be_unpacked(tmp_path, name):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UserError, match="compressed archives are not read; unpack it"):
        open_dataset(tmp_path / name)


@pytest.mark.parametrize("name", ["list.tsv", "LIST.CSV"])
def test_tables_of_other_suffixes(folder, name):
    (folder / name).write_text("path\tlabel\ncat/1.png\tcat\n")
    assert open_dataset(folder / name).kind == "csv"


@pytest.mark.parametrize("name", ["nothing", "text.txt"])
def test_no_dataset(tmp_path, name):
    (tmp_path / "text.txt").write_text("x")
    with pytest.raises(UserError, match="dataset.path"):
        open_dataset(tmp_path / name)


STORES = [
    ".dvc/cache/files/md5/82/d272eade06e0bfa8ce187442344142",
    "shared-cache/files/md5/82/d272eade06e0bfa8ce187442344142",
    "cache/82/d272eade06e0bfa8ce187442344142",
    "set/.git/annex/objects/Xw/8K/MD5E-s5--82d2.png/MD5E-s5--82d2.png",
    "hub/datasets--a--b/blobs/4a2f11c4a2f11c4a2f11c4a2f11c4a2f11c4a2f1",
]


@pytest.mark.parametrize("place", STORES)
def test_links_into_stores_of_content_are_read(folder, tmp_path, place):
    stored = tmp_path / place
    stored.parent.mkdir(parents=True)
    stored.write_bytes(image_bytes(9))
    (folder / "cat" / "2.png").symlink_to(stored)
    assert open_dataset(folder).read("cat/2.png") == image_bytes(9)


@pytest.mark.parametrize(
    "place", ["82/passwd", "files/md5/82/secret", "blobs/secret", "annex/objects/x", "8/2/d272eade06e0bfa8"]
)
def test_links_elsewhere_are_refused_even_if_they_look_similar(folder, tmp_path, place):
    stored = tmp_path / place
    stored.parent.mkdir(parents=True)
    stored.write_bytes(image_bytes(9))
    (folder / "cat" / "2.png").symlink_to(stored)
    with pytest.raises(UserError, match="leads out of the dataset"):
        open_dataset(folder).read("cat/2.png")


def test_a_tar_file_and_a_csv_that_dvc_linked_into_its_cache(folder, tmp_path):
    cache = tmp_path / ".dvc/cache/files/md5/82"
    cache.mkdir(parents=True)
    with tarfile.open(cache / "d272eade06e0bfa8ce187442344142", "w") as tar:
        tar.add(folder, arcname=".")
    (cache / "e272eade06e0bfa8ce187442344142").write_text("# root: images\npath\ncat/1.png\n")
    (tmp_path / "shard.tar").symlink_to(cache / "d272eade06e0bfa8ce187442344142")
    (tmp_path / "list.csv").symlink_to(cache / "e272eade06e0bfa8ce187442344142")
    assert open_dataset(tmp_path / "shard.tar").read("shard.tar/cat/1.png") == image_bytes()
    assert open_dataset(tmp_path / "list.csv").read("cat/1.png") == image_bytes()


def test_a_tar_file_of_another_name_behind_a_link(folder, tmp_path):
    (tmp_path / "disk").mkdir()
    with tarfile.open(tmp_path / "disk" / "v2.tar", "w") as tar:
        tar.add(folder, arcname=".")
    (folder / "shard.tar").symlink_to(tmp_path / "disk" / "v2.tar")
    assert open_dataset(folder / "shard.tar").read("shard.tar/cat/1.png") == image_bytes()


def test_a_csv_behind_a_link_is_relative_to_where_it_lies(folder, tmp_path):
    (folder / "list.csv").write_text("path\ncat/1.png\n")
    (tmp_path / "list.csv").symlink_to(folder / "list.csv")
    assert open_dataset(tmp_path / "list.csv").read("cat/1.png") == image_bytes()
