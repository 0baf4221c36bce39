"""The CSV form of a folder holds the same images."""

import os
import subprocess
import sys

import pytest

from pipeline.dataset.dataset import open_dataset
from pipeline.errors import UserError
from pipeline.listing import main, write_listing
from pipeline.manifest.scanning import scan


def make(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode("utf-8", "surrogateescape"))


def essence(path):
    found = scan(open_dataset(path))
    return [(r.path, r.label, r.split, r.size, r.mtime) for r in found.records], list(found.classes)


NAMES = {
    "classes": ("cat/1.png", "dog/1.png"), "splits": ("train/cat/1.png", "test/dog/2.png"),
    "flat": ("1.png",), "an image beside the classes": ("cat/1.png", "dog/1.png", "logo.png"),
    "a split without classes": ("train/cat/1.png", "train/dog/1.png", "val/1.png"),
    "odd": ("=1+1/a,b.png", "a'b\"c/\n.png", os.fsdecode(b"caf\xe9/\xff.png"),
            "'=x/@.png", " lead/ trail .png"),
}  # fmt: skip


@pytest.mark.parametrize("names", NAMES)
def test_a_listing_is_the_folder(tmp_path, names):
    make(tmp_path / "images", *NAMES[names])
    assert write_listing(tmp_path / "images", tmp_path / "lists" / "all.csv") == len(NAMES[names])
    assert essence(tmp_path / "lists" / "all.csv") == essence(tmp_path / "images")
    folder, listing = open_dataset(tmp_path / "images"), open_dataset(tmp_path / "lists" / "all.csv")
    for record in scan(folder).records:
        assert listing.read(record.path) == folder.read(record.path)


def test_columns(tmp_path):
    make(tmp_path / "a", "cat/1.png")
    os.utime(tmp_path / "a/cat/1.png", ns=(1, 2))
    write_listing(tmp_path / "a", tmp_path / "a.csv")
    assert (
        tmp_path / "a.csv"
    ).read_text() == f"# root: {tmp_path / 'a'}\npath,label,size,mtime\ncat/1.png,cat,9,2\n"


def test_no_cell_is_a_formula(tmp_path):
    make(tmp_path / "a", *NAMES["odd"])
    write_listing(tmp_path / "a", tmp_path / "a.csv")
    cells = (tmp_path / "a.csv").read_text().replace("\n", ",").split(",")
    assert not [cell for cell in cells if cell[:1] in "=+-@" and cell]


def test_relative_paths_stay_relative(tmp_path, monkeypatch):
    make(tmp_path / "images", "cat/1.png")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lists").mkdir()
    assert main(["images", "lists/a.csv"]) == 0
    assert "# root: ../images\n" in (tmp_path / "lists/a.csv").read_text()
    monkeypatch.chdir("/")
    assert open_dataset(tmp_path / "lists/a.csv").read("cat/1.png") == b"cat/1.png"


def test_a_root_with_spaces_at_its_ends_and_a_csv_behind_a_link(tmp_path, monkeypatch):
    make(tmp_path / " images ", "cat/1.png")
    (tmp_path / "deep" / "lists").mkdir(parents=True)
    (tmp_path / "lists").symlink_to("deep/lists")
    monkeypatch.chdir(tmp_path)
    for folder in (" images ", str(tmp_path / " images ")):
        assert main([folder, "lists/a.csv"]) == 0
        assert open_dataset(tmp_path / "lists/a.csv").read("cat/1.png") == b"cat/1.png"


def test_mistakes(tmp_path, capsys):
    assert main([str(tmp_path / "nothing"), str(tmp_path / "a.csv")]) == 1
    assert "nothing does not exist" in capsys.readouterr().err
    (tmp_path / "b.csv").write_text("path\na\n")
    with pytest.raises(UserError, match="no folder"):
        write_listing(tmp_path / "b.csv", tmp_path / "c.csv")
    make(tmp_path / "images", "1.png")
    (tmp_path / "c.csv").mkdir()
    with pytest.raises(UserError, match="cannot be written"):
        write_listing(tmp_path / "images", tmp_path / "c.csv")
    assert not list(tmp_path.glob(".*"))


def test_the_command_helps_itself():
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.listing", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "FOLDER" in done.stdout
