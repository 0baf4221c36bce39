"""Findings are taken over only from files that cannot have changed."""

import time

import pytest

from pipeline.images import decoding, jpeg
from pipeline.manifest.cache import Cache
from pipeline.manifest.inspection import Inspection
from pipeline.manifest.record import Record

OLD = 1_000_000_000
FOUND = Inspection(b"\1" * 32, 4, 5, 6, "odd")
BAD = Inspection(b"\2" * 32, reason="damaged", message="broken")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVATLAS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def record(path, size=10, mtime=OLD, ctime=OLD):
    return Record(path, size=size, mtime=mtime, ctime=ctime)


def remember(dataset, records, findings, depth="pixels"):
    Cache(dataset, depth).keep(records, findings)


def test_findings_come_back(tmp_path):
    records = [record("a"), record("b/\\xff"), record("é")]
    remember(tmp_path, records, [FOUND, BAD, FOUND])
    assert Cache(tmp_path, "pixels").recall(records) == [FOUND, BAD, FOUND]


def test_images_that_came_and_went(tmp_path):
    remember(tmp_path, [record("a"), record("c"), record("e")], [FOUND, BAD, FOUND])
    recalled = Cache(tmp_path, "pixels").recall([record(name) for name in "bcdf"])
    assert recalled == [None, BAD, None, None]


@pytest.mark.parametrize("change", [{"size": 11}, {"mtime": OLD + 1}, {"ctime": OLD + 1}])
def test_a_changed_file_is_read_again(tmp_path, change):
    remember(tmp_path, [record("a")], [FOUND])
    assert Cache(tmp_path, "pixels").recall([record("a", **change)]) == [None]


def test_a_listing_tells_size_and_mtime(tmp_path):
    listed = [record("a", ctime=None)]
    remember(tmp_path, listed, [FOUND])
    assert Cache(tmp_path, "pixels").recall(listed) == [FOUND]


def test_what_cannot_be_told_apart_is_not_kept(tmp_path):
    now = time.time_ns()
    records = [record("a", mtime=now), record("b", ctime=now), record("c", mtime=None), record("d")]
    remember(tmp_path, records, [FOUND] * 4)
    assert Cache(tmp_path, "pixels").recall(records) == [None, None, None, FOUND]


@pytest.mark.parametrize("reason", ["missing", "unreadable", "timeout", "crashed", "changed"])
def test_what_may_pass_is_not_kept(tmp_path, reason):
    remember(tmp_path, [record("a")], [Inspection(reason=reason, message="x")])
    assert Cache(tmp_path, "pixels").recall([record("a")]) == [None]


def test_what_was_not_read_is_not_kept(tmp_path):
    remember(tmp_path, [record("a"), record("b")], [None, FOUND])
    assert Cache(tmp_path, "pixels").recall([record("a"), record("b")]) == [None, FOUND]


def test_a_file_that_was_too_large_to_read_is_not_kept(tmp_path):
    remember(tmp_path, [record("a"), record("b")], [Inspection(reason="too large", message="x"), FOUND])
    assert Cache(tmp_path, "pixels").recall([record("a"), record("b")]) == [None, FOUND]


def test_an_empty_file_has_a_digest(tmp_path):
    finding = Inspection(b"\3" * 32, reason="empty", message="the file has no bytes")
    remember(tmp_path, [record("a")], [finding])
    assert Cache(tmp_path, "pixels").recall([record("a")]) == [finding]


@pytest.mark.parametrize("module", [decoding, jpeg])
def test_another_dataset_depth_or_code_remembers_nothing(tmp_path, monkeypatch, module):
    remember(tmp_path, [record("a")], [FOUND])
    assert Cache(tmp_path / "other", "pixels").recall([record("a")]) == [None]
    assert Cache(tmp_path, "headers").recall([record("a")]) == [None]
    changed = tmp_path / "image.py"
    changed.write_text("# another decoder")
    monkeypatch.setattr(module, "__file__", str(changed))
    assert Cache(tmp_path, "pixels").recall([record("a")]) == [None]


def test_a_damaged_cache_is_passed_over(tmp_path, folder):
    remember(tmp_path, [record("a")], [FOUND])
    (file,) = folder.iterdir()
    file.write_bytes(file.read_bytes()[:3000])
    assert Cache(tmp_path, "pixels").recall([record("a")]) == [None]


def test_a_cache_that_cannot_be_written_is_no_failure(tmp_path, folder):
    folder.write_text("a file where the folder should be")
    remember(tmp_path, [record("a")], [FOUND])
