"""A project of git and DVC whose cache is laid out here by hand: DVC's own commands take seconds."""

import hashlib
import json
import subprocess

import pytest

from pipeline.errors import UserError
from pipeline.revisions.artifacts import Revision


def keep(project, content, suffix=""):
    """Put a content into the cache and return its name there."""
    name = hashlib.md5(content, usedforsecurity=False).hexdigest()
    path = project / ".dvc/cache/files/md5" / name[:2] / f"{name[2:]}{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return f"{name}{suffix}"


@pytest.fixture
def project(tmp_path):
    """One commit with a file and a folder of DVC, and a file of git; the working tree has others by now."""
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("")
    listed = [{"md5": keep(tmp_path, b"inner"), "relpath": "b.h5"}]
    folder = keep(tmp_path, json.dumps(listed).encode(), ".dir")
    outs = [
        {"path": "one.h5", "hash": "md5", "md5": keep(tmp_path, b"one"), "size": 3},
        {"path": "made", "hash": "md5", "md5": folder, "size": 5, "nfiles": 1},
    ]
    (tmp_path / "dvc.yaml").write_text(
        json.dumps({"stages": {"a": {"cmd": "a", "outs": ["one.h5", "made"]}}})
    )
    (tmp_path / "dvc.lock").write_text(
        json.dumps({"schema": "2.0", "stages": {"a": {"cmd": "a", "outs": outs}}})
    )
    (tmp_path / "params.yaml").write_text("a: 1\n")
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (
        ["init", "-q"],
        ["add", "*.yaml", "dvc.lock", ".dvc/config"],
        [*identity, "commit", "-qm", "1"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    (tmp_path / "one.h5").write_bytes(b"of now")
    (tmp_path / "params.yaml").write_text("a: 2\n")
    return tmp_path


def test_files_and_folders_are_those_of_the_revision(project, tmp_path):
    out = tmp_path / "got"
    assert Revision(project, "HEAD").get(["one.h5", "made", "params.yaml"], out) == {}
    assert (out / "one.h5").read_bytes() == b"one" and (out / "made/b.h5").read_bytes() == b"inner"
    assert (out / "params.yaml").read_text() == "a: 1\n"
    assert (project / "one.h5").read_bytes() == b"of now"


def test_what_is_not_in_the_cache_and_what_was_never_made_are_told_apart(project, tmp_path):
    for content in (b"one", b"inner"):
        name = hashlib.md5(content, usedforsecurity=False).hexdigest()
        (project / ".dvc/cache/files/md5" / name[:2] / name[2:]).unlink()
    lost = Revision(project, "HEAD").get(["one.h5", "made", "other.h5"], tmp_path / "got")
    assert "one.h5 of HEAD is neither in DVC's cache nor in a remote" in lost["one.h5"]
    assert "neither in DVC's cache" in lost["made"]
    assert lost["other.h5"] == "other.h5 is made by no stage of HEAD"


def test_what_is_too_large_is_left(project, tmp_path):
    lost = Revision(project, "HEAD").get(["made"], tmp_path / "got", most=4)
    assert "made takes" in lost["made"] and not (tmp_path / "got/made").exists()


@pytest.mark.parametrize("name", ["nowhere", "HEAD~9"])
def test_an_unknown_revision_is_named(project, name):
    with pytest.raises(UserError, match=f"{name}: no such revision") as caught:
        Revision(project, name)
    assert "\n" not in str(caught.value)


def test_a_folder_outside_of_dvc_is_refused(tmp_path):
    with pytest.raises(UserError, match="git and DVC|no such revision"):
        Revision(tmp_path, "HEAD")
