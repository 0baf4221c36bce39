import os
import socket
import subprocess
import sys

import pytest

from pipeline.errors import UserError
from pipeline.store.replacing import replaced, replaced_folder


def beside(path, process, suffix="tmp", host=None):
    return path.with_name(f".{path.name}.{host or socket.gethostname()}.{process}.{suffix}")


@pytest.fixture
def dead():
    """A process number that no process has."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_whole_and_with_its_folder(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with replaced(path) as temporary:
        temporary.write_text("one")
        assert not path.exists()
        assert temporary.parent == path.parent
    assert path.read_text() == "one"
    assert names(path.parent) == ["a.txt"]


def test_a_file_is_what_it_was_when_writing_fails(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")
    with pytest.raises(ZeroDivisionError), replaced(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "before"
    assert names(tmp_path) == ["a.txt"]


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    path, steps = tmp_path / "a.txt", []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: (steps.append("fsync"), fsync(descriptor)))
    monkeypatch.setattr(os, "replace", lambda *paths: (steps.append("replace"), replace(*paths)))
    with replaced(path) as temporary:
        temporary.write_text("one")
    assert steps == ["fsync", "replace", "fsync"]


def test_a_folder_takes_the_place_of_another(tmp_path):
    path = tmp_path / "a"
    path.mkdir()
    (path / "old.txt").write_text("old")
    with replaced_folder(path) as folder:
        (folder / "new.txt").write_text("new")
        assert names(path) == ["old.txt"]
    assert names(path) == ["new.txt"]
    assert names(tmp_path) == ["a"]


def test_a_folder_is_what_it_was_when_writing_fails(tmp_path):
    path = tmp_path / "a"
    path.mkdir()
    (path / "old.txt").write_text("old")
    with pytest.raises(ZeroDivisionError), replaced_folder(path) as folder:
        (folder / "new.txt").write_text("new")
        raise ZeroDivisionError
    assert names(path) == ["old.txt"]
    assert names(tmp_path) == ["a"]


def test_a_link_to_a_folder_gives_way_and_what_it_names_stays(tmp_path):
    (tmp_path / "large").mkdir()
    (tmp_path / "a").symlink_to(tmp_path / "large")
    with replaced_folder(tmp_path / "a") as folder:
        (folder / "new.txt").write_text("new")
    assert not (tmp_path / "a").is_symlink()
    assert names(tmp_path) == ["a", "large"]


def test_what_dead_processes_left_is_removed(tmp_path, dead):
    path, folder = tmp_path / "a[1].txt", tmp_path / "f"
    beside(path, dead).write_text("left")
    for suffix in ("tmp", "before"):
        beside(folder, dead, suffix).mkdir()
    with replaced(path) as temporary:
        temporary.write_text("one")
    with replaced_folder(folder):
        pass
    assert names(tmp_path) == ["a[1].txt", "f"]


def test_what_others_are_writing_stays(tmp_path, dead):
    path = tmp_path / "a.txt"
    others = [
        beside(path, os.getppid()), beside(path, dead, host="elsewhere"), beside(path, dead, "zip"),
        beside(tmp_path / "a.txt2", dead),
    ]  # fmt: skip
    for other in others:
        other.write_text("half")
    with replaced(path) as temporary:
        temporary.write_text("one")
    assert names(tmp_path) == sorted(["a.txt", *(other.name for other in others)])


@pytest.mark.parametrize("put", [replaced, replaced_folder])
@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), OSError("HDF5: No space left on device")]
)
def test_a_full_disk_is_the_users_to_mend(tmp_path, put, error):
    told = r"a: cannot be written, nothing was published: .*No space left"
    with pytest.raises(UserError, match=told), put(tmp_path / "a"):
        raise error
    assert names(tmp_path) == []


@pytest.mark.parametrize("put", [replaced, replaced_folder])
def test_another_error_of_the_system_keeps_its_kind(tmp_path, put):
    with pytest.raises(FileNotFoundError), put(tmp_path / "a"):
        (tmp_path / "missing").read_bytes()
