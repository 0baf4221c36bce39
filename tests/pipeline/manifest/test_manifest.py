"""From a dataset on disk to its manifest, faults included."""

import hashlib
import io
import os
import signal
import tarfile
import time
from functools import partial

import numpy as np
import pytest
from PIL import Image

from pipeline import store
from pipeline.errors import UserError
from pipeline.formats.manifest import write_manifest
from pipeline.images.decoding import decode
from pipeline.manifest import manifest as module
from pipeline.manifest.inspection import Inspection
from pipeline.manifest.manifest import (
    Selection,
    build_manifest,
    draw_sample,
    draw_split,
    turn_box,
)
from pipeline.parallel.processes import map_guarded


@pytest.fixture(autouse=True)
def _two_processes(monkeypatch):
    monkeypatch.setenv("CONVATLAS_WORKERS", "2")


def encode(value=0, width=6, height=4, format="png", **options):
    stream = io.BytesIO()
    Image.fromarray(np.full((height, width, 3), value, np.uint8)).save(stream, format, **options)
    return stream.getvalue()


def fill(root, files):
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, ns=(10**18, 10**18))
    return root


@pytest.fixture
def folder(tmp_path):
    values = enumerate(("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png"))
    return fill(tmp_path / "images", {name: encode(value, 6 + value) for value, name in values})


def write(manifest, out):
    write_manifest(manifest, out, dataset="images", max_bad_fraction=0.5, params="0" * 64)
    return out


def test_what_a_manifest_holds(folder):
    manifest = build_manifest(folder, Selection(held_out=0.5))
    assert manifest.path == ["cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png"]
    assert manifest.label.tolist() == [0, 0, 1, 1]
    assert manifest.label.dtype == np.int32
    assert manifest.class_names == ["cat", "dog"]
    assert manifest.size.tolist() == [[6, 4], [7, 4], [8, 4], [9, 4]]
    digests = [hashlib.sha256((folder / path).read_bytes()).hexdigest() for path in manifest.path]
    assert manifest.sha256 == digests
    assert set(manifest.split) <= {"train", "test"}
    assert manifest.skipped == []


def test_the_artifact(folder, tmp_path):
    fill(folder, {"cat/3.png": b""})
    manifest = build_manifest(folder, Selection(max_bad_fraction=0.5))
    with store.read(write(manifest, tmp_path / "manifest.h5"), version=None) as file:
        assert file.strings("path") == manifest.path
        assert file.strings("sha256") == manifest.sha256
        assert file.strings("split") == ["train"] * 4
        assert file.get("width").tolist() == [6, 7, 8, 9]
        assert file.get("height").dtype == np.int32
        assert file.strings("skipped/path") == ["cat/3.png"]
        assert file.strings("skipped/reason") == ["empty"]
        assert file.strings("skipped/message") == ["the file has no bytes"]
        root = file.attributes()
    assert (root["dataset"], root["duplicates"], root["max_bad_fraction"]) == ("images", 0, 0.5)
    assert root["digest_dataset"] == manifest.digest


def test_equal_inputs_give_equal_bytes(folder, tmp_path, monkeypatch):
    first = write(build_manifest(folder, Selection()), tmp_path / "1.h5").read_bytes()
    for path in folder.rglob("*.png"):
        os.utime(path)
    monkeypatch.setenv("CONVATLAS_WORKERS", "1")
    assert write(build_manifest(folder, Selection()), tmp_path / "2.h5").read_bytes() == first
    assert write(build_manifest(folder, Selection(depth="headers")), tmp_path / "3.h5").read_bytes() == first


def test_the_forms_of_a_dataset_give_the_same_manifest(folder, tmp_path):
    with tarfile.open(tmp_path / "shard.tar", "w") as tar:
        tar.add(folder, arcname=".")
    rows = "".join(f"{name}/{number}.png,{name}\n" for name in ("dog", "cat") for number in (1, 2))
    (tmp_path / "list.csv").write_text(f"# root: images\npath,label\n{rows}")
    one = build_manifest(folder, Selection())
    for other in (
        build_manifest(tmp_path / "shard.tar", Selection()),
        build_manifest(tmp_path / "list.csv", Selection()),
    ):
        assert [path.removeprefix("shard.tar/") for path in other.path] == one.path
        assert other.label.tolist() == one.label.tolist()
        assert other.class_names == one.class_names
        assert other.sha256 == one.sha256
        assert other.size.tolist() == one.size.tolist()


def test_unusable_images_are_skipped_with_their_reason(folder):
    whole = encode(9, 60, 60, "jpeg")
    fill(
        folder,
        {
            "cat/empty.jpg": b"", "cat/html.jpg": b"<html>", "cat/cut.jpg": whole[:-200],
            "cat/cut_inside.png": encode()[:-30], "cat/scan.pdf": b"%PDF-1.4", "cat/ok.JPEG": encode(3),
        },
    )  # fmt: skip
    os.mkfifo(folder / "cat" / "pipe.jpg")
    manifest = build_manifest(folder, Selection(max_bad_fraction=0.6))
    assert {item.path: item.reason for item in manifest.skipped} == {
        "cat/cut.jpg": "damaged", "cat/cut_inside.png": "damaged", "cat/empty.jpg": "empty",
        "cat/html.jpg": "not an image", "cat/pipe.jpg": "not a file", "cat/scan.pdf": "format not allowed",
    }  # fmt: skip
    assert len(manifest.path) == 5
    with pytest.raises(UserError, match=r"6 of 11.*max_bad_fraction = 0\.5.*cat/cut\.jpg"):
        build_manifest(folder, Selection(max_bad_fraction=0.5))


def test_damage_within_the_pixels_is_found_by_decoding(folder):
    broken = bytearray(encode(3, 64, 64, "webp"))
    broken[30:] = bytes(len(broken) - 30)
    fill(folder, {"cat/broken.webp": bytes(broken)})
    assert len(build_manifest(folder, Selection(max_bad_fraction=0.5)).skipped) == 1


def test_every_image_bad(tmp_path):
    fill(tmp_path / "images", {"a/1.jpg": b"", "a/2.jpg": b"x"})
    with pytest.raises(UserError, match="none of 2 files is a usable image"):
        build_manifest(tmp_path / "images", Selection(max_bad_fraction=1.0))


def test_a_csv_that_names_missing_files(folder, tmp_path):
    (tmp_path / "list.csv").write_text("# root: images\npath\ncat/1.png\ncat/9.png\n")
    manifest = build_manifest(tmp_path / "list.csv", Selection(max_bad_fraction=0.5))
    assert [(item.path, item.reason) for item in manifest.skipped] == [("cat/9.png", "missing")]


def test_a_csv_whose_paths_are_relative_to_another_folder_is_told_where_they_were_looked_for(
    folder, tmp_path
):
    (tmp_path / "list.csv").write_text("path\ncat/1.png\n")
    words = f"none of 1 files is a usable image.* relative to {tmp_path.resolve()}, .* '# root: FOLDER'"
    with pytest.raises(UserError, match=words):
        build_manifest(tmp_path / "list.csv", Selection(max_bad_fraction=1.0))


def test_a_csv_whose_link_leaves_the_dataset_fails(folder, tmp_path):
    (tmp_path / "secret.png").write_bytes(encode())
    (folder / "link.png").symlink_to("../secret.png")
    (tmp_path / "list.csv").write_text("# root: images\npath\nlink.png\n")
    with pytest.raises(UserError, match="leads out of the dataset"):
        build_manifest(tmp_path / "list.csv", Selection())


def test_duplicates_are_counted(folder):
    fill(folder, {"dog/copy.png": encode(0, 6), "dog/again.png": encode(0, 6)})
    assert build_manifest(folder, Selection()).duplicates == 2


def dies(dataset, record, depth):
    if record.path == "cat/2.png":
        os.kill(os.getpid(), signal.SIGKILL)
    if record.path == "dog/1.png":
        time.sleep(1000)
    return Inspection(b"\0" * 32, 1, 1)


def test_decoders_that_hang_or_die_lose_one_image(folder, monkeypatch):
    monkeypatch.setattr(module, "inspect", dies)
    monkeypatch.setattr(module, "SECONDS", 2)
    manifest = build_manifest(folder, Selection(max_bad_fraction=0.5))
    assert manifest.path == ["cat/1.png", "dog/2.png"]
    assert [(item.path, item.reason) for item in manifest.skipped] == [
        ("cat/2.png", "crashed"), ("dog/1.png", "timeout"),
    ]  # fmt: skip


def refuse(dataset, record, depth):
    raise AssertionError(record.path)


def test_what_did_not_change_is_not_read_again(folder, monkeypatch):
    monkeypatch.setattr("pipeline.manifest.cache.RESOLUTION", -(10**12))
    first = build_manifest(folder, Selection())
    monkeypatch.setattr(module, "inspect", refuse)
    again = build_manifest(folder, Selection())
    assert (again.sha256, again.size.tolist()) == (first.sha256, first.size.tolist())
    monkeypatch.undo()


def test_what_changed_is_read_again(folder, monkeypatch):
    monkeypatch.setattr("pipeline.manifest.cache.RESOLUTION", -(10**12))
    first = build_manifest(folder, Selection())
    (folder / "cat/2.png").write_bytes(encode(200, 7))
    again = build_manifest(folder, Selection())
    assert again.sha256[1] == hashlib.sha256(encode(200, 7)).hexdigest() != first.sha256[1]
    assert again.sha256[2:] == first.sha256[2:]


def test_a_sample_does_not_forget_the_rest(folder, monkeypatch):
    monkeypatch.setattr("pipeline.manifest.cache.RESOLUTION", -(10**12))
    build_manifest(folder, Selection())
    fill(folder, {"new/1.png": encode(77)})
    build_manifest(folder, Selection(sample=5))
    monkeypatch.setattr(module, "inspect", refuse)
    assert len(build_manifest(folder, Selection()).path) == 5


def stops(dataset, record, depth):
    if record.path == "zebra/1.png":
        raise UserError("stopped")
    return Inspection(b"\0" * 32, 1, 1)


def test_what_was_read_before_a_stop_is_kept(folder, monkeypatch):
    monkeypatch.setattr("pipeline.manifest.cache.RESOLUTION", -(10**12))
    monkeypatch.setattr(module, "map_guarded", partial(map_guarded, chunk=1))
    monkeypatch.setenv("CONVATLAS_WORKERS", "1")
    fill(folder, {"zebra/1.png": encode()})
    monkeypatch.setattr(module, "inspect", stops)
    with pytest.raises(UserError, match="stopped"):
        build_manifest(folder, Selection())
    (folder / "zebra/1.png").unlink()
    monkeypatch.setattr(module, "inspect", refuse)
    assert len(build_manifest(folder, Selection()).path) == 4


def test_sample_is_seeded_and_stable():
    paths = [f"{number}.png" for number in range(1000)]
    drawn = draw_sample(paths, Selection(sample=100, seed=1))
    assert len(drawn) == 100
    assert list(drawn) == sorted(drawn)
    assert drawn == draw_sample(paths, Selection(sample=100, seed=1))
    assert drawn != draw_sample(paths, Selection(sample=100, seed=2))
    assert set(drawn) < set(draw_sample(paths, Selection(sample=101, seed=1)))
    more = {
        ([*paths, "new"])[number] for number in draw_sample([*paths, "new"], Selection(sample=100, seed=1))
    }
    assert len({paths[number] for number in drawn} - more) <= 1
    assert list(draw_sample(paths, Selection(sample=5000))) == list(range(1000))


def test_the_manifest_of_a_sample(folder):
    manifest = build_manifest(folder, Selection(sample=2, seed=3))
    assert len(manifest.path) == 2
    assert manifest.class_names == ["cat", "dog"]


def test_held_out_share():
    splits = [draw_split(f"{number}.png", Selection(held_out=0.2)) for number in range(5000)]
    assert abs(splits.count("test") / 5000 - 0.2) < 0.02
    more = [draw_split(f"{number}.png", Selection(held_out=0.3)) for number in range(5000)]
    assert all(now == "test" for before, now in zip(splits, more, strict=True) if before == "test")
    assert set(draw_split(str(number), Selection()) for number in range(100)) == {"train"}


def test_splits_of_the_dataset_are_kept(tmp_path):
    fill(tmp_path / "images", {"train/a/1.png": encode(1), "val/a/1.png": encode(2)})
    manifest = build_manifest(tmp_path / "images", Selection(held_out=0.9))
    assert manifest.split == ["train", "val"]


def test_attributes_are_numbers_or_text(folder, tmp_path):
    (tmp_path / "list.csv").write_text(
        "# root: images\npath,light,where,mixed,none\n"
        "cat/1.png,0.5,sea,1,\ncat/2.png,,,a,\ndog/1.png,-2e3,<b>,2,\n"
    )
    manifest = build_manifest(tmp_path / "list.csv", Selection())
    assert np.array_equal(manifest.attributes["light"], [0.5, np.nan, -2000.0], equal_nan=True)
    assert manifest.attributes["where"] == ["sea", "", "<b>"]
    assert manifest.attributes["mixed"] == ["1", "a", "2"]
    assert manifest.attributes["none"] == ["", "", ""]
    with store.read(write(manifest, tmp_path / "manifest.h5"), version=None) as file:
        assert file.children("attributes") == ["light", "mixed", "none", "where"]
        assert file.get("attributes/light").dtype == np.float64
        assert file.strings("attributes/where") == ["sea", "", "<b>"]


def test_boxes_refer_to_rows(folder, tmp_path):
    (tmp_path / "list.csv").write_text(
        "# root: images\npath,x0,y0,x1,y1\ndog/1.png,1,1,3,3\ncat/1.png,,,,\ndog/1.png,0,0,2,1.5\n"
    )
    manifest = build_manifest(tmp_path / "list.csv", Selection())
    assert manifest.path == ["cat/1.png", "dog/1.png"]
    assert manifest.box_image.tolist() == [1, 1]
    assert manifest.box.tolist() == [[1, 1, 3, 3], [0, 0, 2, 1.5]]
    with store.read(write(manifest, tmp_path / "manifest.h5"), version=None) as file:
        assert file.get("boxes/box").dtype == np.float32
        assert file.get("boxes/image_id").tolist() == [1, 1]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_turn_with_their_image(tmp_path, orientation):
    """A red rectangle in the stored pixels; its box must enclose the red of the upright image."""
    stored = np.zeros((20, 30, 3), np.uint8)
    stored[3:7, 5:14, 0] = 255
    tags = Image.Exif()
    tags[0x0112] = orientation
    stream = io.BytesIO()
    Image.fromarray(stored).save(stream, "png", exif=tags)
    fill(tmp_path / "images", {"1.png": stream.getvalue()})
    for setting in ("stored", "upright"):
        (tmp_path / "list.csv").write_text(
            f"# root: images\n# boxes: {setting}\npath,x0,y0,x1,y1\n1.png,5,3,14,7\n"
        )
        manifest = build_manifest(tmp_path / "list.csv", Selection())
        rows, columns = np.nonzero(decode(stream.getvalue())[:, :, 0])
        red = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert manifest.box[0].tolist() == (red if setting == "stored" else [5, 3, 14, 7])


def test_turning_by_nothing():
    assert turn_box((1.0, 2.0, 3.0, 4.0), (10, 20), 1) == (1.0, 2.0, 3.0, 4.0)


def test_odd_metadata_is_noted(folder):
    fill(folder, {"cat/3.jpg": encode(3, format="jpeg", exif=b"Exif\0\0garbage")})
    (path, note), *others = build_manifest(folder, Selection()).notes
    assert path == "cat/3.jpg"
    assert note
    assert not others
