import pytest
import torch

from pipeline.errors import UserError
from pipeline.formats.weights import Description, read_description
from pipeline.images.preprocess import Preprocessing
from pipeline.model.building import build_network
from pipeline.model.network import load_network, save_network

SOURCE = """
import torch
from torch import nn

def tiny(classes=4):
    features = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    network = nn.Sequential(features, nn.Linear(5, classes))
    network.register_buffer("scale", torch.tensor(2.0), persistent=False)
    return network

def needing(num_classes):
    return tiny(num_classes)

def broken():
    raise ValueError("no such thing")

def number():
    return 3

def tied():
    network = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    network[1].weight = network[0].weight
    return network

class Sized(nn.Module):
    def __init__(self, width):
        super().__init__()

def double():
    return tiny().double()
"""


@pytest.fixture
def inputs(tmp_path):
    (tmp_path / "inputs" / "network").mkdir(parents=True)
    (tmp_path / "inputs" / "network" / "mine.py").write_text(SOURCE)
    return tmp_path / "inputs"


def description(architecture="builtin:digits", classes=10):
    names = tuple(str(number) for number in range(classes))
    return Description(
        architecture=architecture,
        weights="test",
        classes=names,
        preprocessing=Preprocessing(input_size=(32, 32)),
    )


@pytest.fixture
def saved(tmp_path):
    folder = tmp_path / "weights"
    torch.manual_seed(0)
    network = build_network("builtin:digits", 10, tmp_path)
    save_network(folder, network, description(), tmp_path)
    return folder, network


def test_build_in_eval_mode(inputs):
    assert not build_network("torchvision:squeezenet1_1", 7, inputs).training
    assert build_network("builtin:digits", 3, inputs)(torch.rand(1, 3, 32, 32)).shape == (1, 3)


@pytest.mark.parametrize("path", ["inputs/network/mine.py", "network/mine.py", "mine.py"])
def test_build_from_a_file(inputs, path):
    assert build_network(f"{path}:tiny", 6, inputs)(torch.rand(1, 3, 9, 9)).shape == (1, 6)


def test_network_of_doubles_is_built_in_the_precision_of_images(inputs):
    assert build_network("mine.py:double", None, inputs)(torch.rand(1, 3, 9, 9)).dtype == torch.float32


def test_factory_that_must_be_told_a_number_of_classes(inputs):
    assert build_network("mine.py:needing", None, inputs)(torch.rand(1, 3, 9, 9)).shape == (1, 1000)
    assert build_network("mine.py:needing", 3, inputs)(torch.rand(1, 3, 9, 9)).shape == (1, 3)


def test_factory_keeps_its_own_number_of_classes(inputs):
    assert build_network("mine.py:tiny", None, inputs)(torch.rand(1, 3, 9, 9)).shape == (1, 4)


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        ("torchvision:resnet5", "did you mean 'torchvision:resnet50'"),
        ("builtin:digit", "did you mean 'builtin:digits'"),
        ("alexnet", "none of torchvision:<name>.*; did you mean 'torchvision:alexnet'"),
        ("torchvison:vgg16", "did you mean 'torchvision:vgg16'"),
        ("zzzzzzzz", "none of torchvision:<name>, builtin:<name>, <path>.py:<factory>$"),
        ("inputs/network/mien.py:tiny", r"no such file .* did you mean '.*network/mine\.py'"),
        ("inputs/network/none.py:tiny", "none.py: no such file"),
        ("mine.py:tny", "has no function 'tny'; it has tiny, needing, broken, number, tied, Sized, double"),
        ("mine.py:broken", r"mine\.py:15: broken does not build: ValueError: no such thing"),
        ("mine.py", "'mine.py' names no function of the file; write mine.py:build"),
        ("mine.py:Sized", "mine.py: Sized does not build: .* 'width'; write a function without arguments"),
        ("mine.py:number", "must return a torch.nn.Module, got int"),
    ],
)
def test_network_that_does_not_build(inputs, architecture, message):
    with pytest.raises(UserError, match=message):
        build_network(architecture, None, inputs)


def test_file_with_a_syntax_error_is_named_with_its_line(inputs):
    (inputs / "network" / "bad.py").write_text("def net():\n    return (\n")
    with pytest.raises(UserError, match=r"bad\.py:2: net does not build: SyntaxError"):
        build_network("bad.py:net", None, inputs)


def test_saved_network_is_loaded_equal(saved):
    folder, network = saved
    loaded, images = load_network(folder), torch.rand(2, 3, 32, 32)
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    assert torch.equal(loaded(images), network(images))


def test_own_network_needs_nothing_but_the_folder(inputs, tmp_path):
    folder = tmp_path / "weights"
    network = build_network("inputs/network/mine.py:tiny", 4, inputs)
    save_network(folder, network, description("inputs/network/mine.py:tiny", 4), inputs)
    (inputs / "network" / "mine.py").unlink()
    images = torch.rand(1, 3, 9, 9)
    assert torch.equal(load_network(folder)(images), network(images))
    assert load_network(folder).scale == 2


def test_tensors_that_share_memory(inputs, tmp_path):
    network = build_network("mine.py:tied", None, inputs)
    save_network(tmp_path / "weights", network, description("mine.py:tied", 4), inputs)
    assert torch.equal(load_network(tmp_path / "weights")[1].weight, network[0].weight)


@pytest.mark.parametrize("name", ["mnasnet0_5", "regnet_x_400mf"])
def test_networks_of_torchvision_come_back(name, tmp_path):
    network = build_network(f"torchvision:{name}", 5, tmp_path)
    save_network(tmp_path, network, description(f"torchvision:{name}", 5), tmp_path)
    images = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(load_network(tmp_path)(images), network(images))


def test_equal_networks_give_equal_bytes(saved, tmp_path):
    folder, network = saved
    save_network(tmp_path / "again", network, description(), tmp_path)
    for name in ("model.safetensors", "model.json"):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_digest_depends_on_all_that_makes_a_result(saved, tmp_path):
    folder, network = saved
    digests = {read_description(folder).digest}
    changes = [
        {"classes": tuple("abcdefghij")},
        {"preprocessing": Preprocessing(input_size=(32, 32), resize=40)},
    ]
    for change in changes:
        made = save_network(tmp_path / "other", network, description().model_copy(update=change), tmp_path)
        digests.add(made.digest)
    network.classifier[2].bias.data[0] += 1e-6
    digests.add(save_network(tmp_path / "other", network, description(), tmp_path).digest)
    assert len(digests) == 4
    assert save_network(tmp_path / "other", network, description(), tmp_path).digest in digests


def test_digest_depends_on_the_source(inputs, tmp_path):
    network, what = build_network("mine.py:tiny", 4, inputs), description("mine.py:tiny", 4)
    first = save_network(tmp_path / "a", network, what, inputs).digest
    (inputs / "network" / "mine.py").write_text(SOURCE + "\n# another\n")
    assert save_network(tmp_path / "b", network, what, inputs).digest != first


def test_weights_that_differ_from_their_description(saved):
    folder, network = saved
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(UserError, match=r"not those of its model\.json"):
        load_network(folder)


@pytest.mark.parametrize(
    "damage", [lambda path: path.unlink(), lambda path: path.write_bytes(path.read_bytes()[:-9])]
)
def test_weights_missing_or_truncated(saved, damage):
    damage(saved[0] / "model.safetensors")
    with pytest.raises(UserError, match=r"model\.safetensors: missing or damaged"):
        load_network(saved[0])


def test_weights_that_are_not_finite_are_not_kept(saved, tmp_path):
    _, network = saved
    network.classifier[0].weight.data[0, 0] = float("nan")
    with pytest.raises(UserError, match=r"'classifier\.0\.weight' holds NaN"):
        save_network(tmp_path / "other", network, description(), tmp_path)
    assert not (tmp_path / "other" / "model.json").exists()
