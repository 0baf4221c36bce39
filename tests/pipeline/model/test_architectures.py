import pytest
import torch

from pipeline.model.architectures import BUILTIN, INPUT_SIZE


@pytest.mark.parametrize("name", BUILTIN)
def test_builtin_networks_take_their_input_size(name):
    network = BUILTIN[name](7).eval()
    assert network(torch.rand(2, 3, *INPUT_SIZE[name])).shape == (2, 7)


def test_cifar_resnet20_has_the_usual_layout():
    state = BUILTIN["cifar-resnet20"](10).state_dict()
    weights = {name: list(value.shape) for name, value in state.items() if name.endswith("weight")}
    assert sum(len(shape) > 1 for shape in weights.values()) == 20
    assert weights["layer2.0.conv1.weight"] == [32, 16, 3, 3]
    assert weights["linear.weight"] == [10, 64]
    assert not [name for name in state if "shortcut" in name or "downsample" in name]
    assert (
        sum(value.numel() for name, value in state.items() if "running" not in name and "num_" not in name)
        == 269722
    )


def test_shortcut_subsamples_and_pads_with_zero_channels():
    block = BUILTIN["cifar-resnet20"](10).eval().layer2[0]
    torch.nn.init.zeros_(block.conv2.weight)
    maps = torch.rand(1, 16, 8, 8)
    result = block(maps)
    assert torch.equal(result[:, 8:24], maps[:, :, ::2, ::2])
    assert not result[:, :8].any() and not result[:, 24:].any()
