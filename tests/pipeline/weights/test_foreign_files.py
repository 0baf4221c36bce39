"""Files that are no checkpoints are called what they are, with the way out."""

import bz2
import gzip
import tarfile
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from pipeline.errors import UserError
from pipeline.weights.checkpoints import read_checkpoint
from pipeline.weights.foreign_files import foreign, is_of_torch, is_safetensors

BEGINNINGS = {
    "Git LFS pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        "git lfs pull",
    ),
    "web page": (b"<!DOCTYPE html>\n<html><body>404", "a web page.*download"),
    "server's answer": (b"<?xml version='1.0'?><Error/>", "XML document.*download"),
    "JSON": (b'{"error": "not found"}', "a JSON text"),
    "Keras": (b"\x89HDF\r\n\x1a\n" + bytes(99), "HDF5 file, as Keras"),
    "gzip": (gzip.compress(b"x"), "gzip; unpack"),
    "bzip2": (bz2.compress(b"x"), "bzip2; unpack"),
    "GGUF": (b"GGUF\3\0\0\0", "GGUF"),
}


@pytest.mark.parametrize("kind", BEGINNINGS)
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_other_files_in_place_of_a_checkpoint(tmp_path, kind, suffix):
    content, words = BEGINNINGS[kind]
    (tmp_path / f"net{suffix}").write_bytes(content)
    with pytest.raises(UserError, match=f"net{suffix}: is .*{words}"):
        read_checkpoint(tmp_path / f"net{suffix}")


@pytest.fixture
def network():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()).eval()


@pytest.mark.parametrize("how", ["script", "trace"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
def test_torchscript_and_its_way_out(tmp_path, network, how):
    made = torch.jit.script(network) if how == "script" else torch.jit.trace(network, torch.zeros(1, 1, 8, 8))
    torch.jit.save(made, tmp_path / "net.pt")
    with pytest.raises(
        UserError, match=r"is a TorchScript archive.*torch\.jit\.load\('net\.pt'\)\.state_dict"
    ):
        read_checkpoint(tmp_path / "net.pt")
    torch.save(torch.jit.load(tmp_path / "net.pt").state_dict(), tmp_path / "weights.pt")
    assert set(read_checkpoint(tmp_path / "weights.pt")) == set(network.state_dict())


def test_other_archives(tmp_path):
    with zipfile.ZipFile(tmp_path / "zip.pt", "w") as archive:
        archive.writestr("net/weights.txt", "x")
    np.savez(tmp_path / "arrays.npz", a=np.ones(3))
    (tmp_path / "a").touch()
    with tarfile.open(tmp_path / "tar.pt", "w") as archive:
        archive.add(tmp_path / "a", arcname="a")
    assert "a zip archive, not a file of torch.save" in foreign(tmp_path / "zip.pt")
    assert "NumPy" in foreign(tmp_path / "arrays.npz")
    assert "a tar archive" in foreign(tmp_path / "tar.pt")


def test_checkpoints_are_not_foreign(tmp_path, network):
    torch.save(network.state_dict(), tmp_path / "new.pt")
    torch.save(network.state_dict(), tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    save_file(network.state_dict(), tmp_path / "net.safetensors")
    for name, safe in (("new.pt", False), ("old.pt", False), ("net.safetensors", True)):
        assert foreign(tmp_path / name) is None
        assert (is_safetensors(tmp_path / name), is_of_torch(tmp_path / name)) == (safe, not safe)
