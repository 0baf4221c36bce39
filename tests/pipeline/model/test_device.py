import pytest
import torch
from torch import nn

from pipeline.errors import UserError
from pipeline.model.device import choose_device, gpu_number, place_inputs, place_network


@pytest.mark.parametrize(("value", "message"), [("gpu", "must be cpu, cuda or auto"), ("cuda", "no GPU")])
def test_a_device_that_is_not_there_is_refused(monkeypatch, value, message):
    monkeypatch.setenv("CONVATLAS_DEVICE", value)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UserError, match=message):
        choose_device()


@pytest.mark.parametrize(
    ("value", "gpu", "device"), [("", True, "cuda"), ("auto", False, "cpu"), ("cpu", True, "cpu")]
)
def test_a_gpu_is_taken_where_there_is_one_unless_told(monkeypatch, value, gpu, device):
    monkeypatch.setenv("CONVATLAS_DEVICE", value)
    monkeypatch.setattr("torch.cuda.is_available", lambda: gpu)
    assert choose_device() == device


def test_local_workers_share_out_the_gpus():
    assert [gpu_number(name, 2) for name in (0, 1, 2, "3", "tcp://host:1", "gpu-1")] == [0, 1, 0, 1, 0, 0]


def test_network_and_inputs_are_placed_alike():
    network = place_network(nn.Conv2d(3, 4, 3), "cpu", "bfloat16")
    inputs = place_inputs(torch.rand(2, 3, 5, 5).numpy(), torch.device("cpu"), torch.bfloat16)
    assert network.weight.dtype == inputs.dtype == torch.bfloat16
    for tensor in (network.weight, inputs):
        assert tensor.is_contiguous(memory_format=torch.channels_last)
    assert network(inputs).shape == (2, 4, 3, 3)


@pytest.fixture
def as_torch_has_it():
    """Settings of GPUs, put back afterwards: pytest's own way fails on these objects."""
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = cudnn.allow_tf32, matmul.allow_tf32, cudnn.deterministic
    cudnn.allow_tf32, matmul.allow_tf32, cudnn.deterministic = True, True, False
    yield
    cudnn.allow_tf32, matmul.allow_tf32, cudnn.deterministic = before


def test_on_a_gpu_float32_is_not_rounded_and_equal_passes_are_equal(as_torch_has_it):
    class Elsewhere(nn.Module):
        def to(self, *_, **__):
            return self

    place_network(Elsewhere(), "cpu")
    assert torch.backends.cudnn.allow_tf32
    place_network(Elsewhere(), "cuda")
    assert not torch.backends.cudnn.allow_tf32 and not torch.backends.cuda.matmul.allow_tf32
    assert torch.backends.cudnn.deterministic


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_convolutions_on_a_gpu_are_those_of_the_processor():
    network = nn.Conv2d(64, 64, 3).requires_grad_(False)
    images = torch.randn(8, 64, 32, 32)
    expected = network.double()(images.double())
    placed = place_network(network.float(), "cuda")
    found = placed(place_inputs(images, torch.device("cuda"), torch.float32)).cpu()
    assert (found - expected).norm() < 1e-6 * expected.norm()
