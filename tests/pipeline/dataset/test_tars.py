"""Members of tar files, and what links among them mean."""

import io
import os
import tarfile

import pytest

from pipeline.dataset.dataset import open_dataset
from pipeline.dataset.tars import index
from pipeline.errors import UserError


def link(tar, name, target, kind):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    tar.addfile(info)


@pytest.fixture
def shard(tmp_path):
    with tarfile.open(tmp_path / "0.tar", "w") as tar:
        info = tarfile.TarInfo("./cat/1.png")
        info.size = 5
        tar.addfile(info, io.BytesIO(b"image"))
        yield tar
    tar.close()


def test_hard_links_have_the_content_of_their_target(tmp_path):
    """As tar packs a folder in which DVC linked equal images."""
    (tmp_path / "images").mkdir()
    (tmp_path / "images/1.png").write_bytes(b"image")
    os.link(tmp_path / "images/1.png", tmp_path / "images/2.png")
    with tarfile.open(tmp_path / "0.tar", "w") as tar:
        tar.add(tmp_path / "images", arcname=".")
    with tarfile.open(tmp_path / "0.tar") as tar:
        assert tarfile.LNKTYPE in {info.type for info in tar}
    dataset = open_dataset(tmp_path / "0.tar")
    assert dataset.read("0.tar/1.png") == dataset.read("0.tar/2.png") == b"image"


@pytest.mark.parametrize(
    ("name", "target", "kind"),
    [
        ("cat/2.png", "./cat/1.png", tarfile.LNKTYPE),
        ("cat/2.png", "1.png", tarfile.SYMTYPE),
        ("dog/2.png", "../cat/1.png", tarfile.SYMTYPE),
    ],
)
def test_links_within_a_tar_file_are_followed(tmp_path, shard, name, target, kind):
    link(shard, name, target, kind)
    shard.close()
    found = index(tmp_path / "0.tar")
    assert (found[name].offset, found[name].size) == (found["cat/1.png"].offset, 5)


@pytest.mark.parametrize("target", ["/etc/passwd", "../../x.png", "nothing.png", "2.png"])
def test_links_out_of_a_tar_file_to_nothing_or_to_themselves_are_no_files(tmp_path, shard, target):
    link(shard, "cat/2.png", target, tarfile.SYMTYPE)
    shard.close()
    assert index(tmp_path / "0.tar")["cat/2.png"].offset < 0


def test_links_to_links(tmp_path, shard):
    link(shard, "a.png", "b.png", tarfile.SYMTYPE)
    link(shard, "b.png", "cat/1.png", tarfile.SYMTYPE)
    shard.close()
    assert index(tmp_path / "0.tar")["a.png"].size == 5


def test_a_git_lfs_pointer_in_place_of_a_tar_file(tmp_path):
    (tmp_path / "0.tar").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    with pytest.raises(UserError, match=r"0\.tar: a Git LFS pointer, not the file; fetch it: git lfs pull"):
        index(tmp_path / "0.tar")
