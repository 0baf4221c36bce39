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
