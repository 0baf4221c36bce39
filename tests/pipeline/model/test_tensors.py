from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from pipeline.errors import UserError
from pipeline.model.tensors import read_tensors, write_tensors

TENSORS = {
    "a.odd": torch.arange(7.0), "b.large": torch.randn(64, 16), "c.half": torch.randn(4, 3).half(),
    "d.brain": torch.randn(5, 32).bfloat16(), "e.count": torch.tensor(3),
    "f.flags": torch.tensor([True, False]),
    "g.view": torch.randn(8, 6).t(), "h.none": torch.empty(0, 4),
}  # fmt: skip


def test_what_is_written_is_read_back_aligned(tmp_path):
    write_tensors(tmp_path / "t.safetensors", TENSORS)
    found = read_tensors(tmp_path / "t.safetensors")
    assert found.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)
        assert found[name].data_ptr() % 64 == 0


def test_other_programs_can_read_it(tmp_path):
    write_tensors(tmp_path / "t.safetensors", TENSORS)
    with safe_open(tmp_path / "t.safetensors", "numpy") as file:
        assert file.get_slice("b.large").get_shape() == [64, 16]
        assert (file.get_tensor("a.odd") == TENSORS["a.odd"].numpy()).all()


def test_large_tensors_are_used_where_they_lie(tmp_path):
    path = tmp_path / "t.safetensors"
    write_tensors(path, {"weight": torch.randn(1024, 64), "bias": torch.randn(3)})
    found = read_tensors(path)
    address = found["weight"].data_ptr()
    lines = Path("/proc/self/maps").read_text().splitlines()
    mapped = [line.split() for line in lines if line.endswith(str(path))]
    ranges = [[int(end, 16) for end in line[0].split("-")] for line in mapped]
    assert any(low <= address < high for low, high in ranges)


def test_order_of_names_does_not_matter(tmp_path):
    write_tensors(tmp_path / "a", TENSORS)
    write_tensors(tmp_path / "b", dict(reversed(TENSORS.items())))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_type_that_cannot_be_kept(tmp_path):
    with pytest.raises(UserError, match="'z': tensors of type torch.complex64 cannot be kept"):
        write_tensors(tmp_path / "t.safetensors", {"z": torch.ones(2, dtype=torch.complex64)})
    assert not list(tmp_path.iterdir())
