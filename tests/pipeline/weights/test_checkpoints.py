import argparse
import pickle
from collections import OrderedDict

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from pipeline.errors import UserError
from pipeline.model.architectures import Digits
from pipeline.weights.checkpoints import class_count, fit_state, read_checkpoint


@pytest.fixture
def state():
    torch.manual_seed(1)
    return Digits().state_dict()


def assert_fits(given, state):
    network = Digits()
    fit_state(network, given, "test")
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())


def prefixed(state, prefix):
    return OrderedDict((prefix + name, value) for name, value in state.items())


def other(state):
    return {name: value + 1 for name, value in state.items()}


SHAPES = {
    "plain": lambda state: state,
    "nested": lambda state: {"state_dict": state, "epoch": 3, "best_prec1": np.float64(91.5)},
    "model key": lambda state: {"model": state, "optimizer": {}, "args": argparse.Namespace(lr=0.1)},
    "net key, twice": lambda state: {"net": {"state_dict": state}, "acc": 91.5},
    "model_state_dict": lambda state: {"model_state_dict": state},
    "DataParallel": lambda state: {"state_dict": prefixed(state, "module.")},
    "compiled": lambda state: prefixed(state, "_orig_mod."),
    "both": lambda state: prefixed(state, "module._orig_mod."),
    "Lightning": lambda state: {"state_dict": prefixed(state, "model.")},
    "EMA beside": lambda state: {"state_dict": state, "state_dict_ema": other(state)},
    "EMA alone": lambda state: {"model_ema": {"n_averaged": torch.tensor(9), **prefixed(state, "module.")}},
    "EMA in the same": lambda state: {**prefixed(state, "model."), **prefixed(other(state), "ema.")},
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("suffix", [".pt", ".pth", ".th", ".ckpt", ".bin", ".pth.tar"])
def test_usual_shapes_of_checkpoints(tmp_path, state, shape, suffix):
    path = tmp_path / f"net{suffix}"
    torch.save(SHAPES[shape](state), path)
    assert_fits(read_checkpoint(path), state)


def test_safetensors(tmp_path, state):
    save_file(prefixed(state, "module."), tmp_path / "net.safetensors")
    assert_fits(read_checkpoint(tmp_path / "net.safetensors"), state)


def test_older_file_format_of_torch(tmp_path, state):
    torch.save(state, tmp_path / "net.th", _use_new_zipfile_serialization=False)
    assert_fits(read_checkpoint(tmp_path / "net.th"), state)


class Payload:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("write", [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))])
def test_payload_is_refused_and_not_executed(tmp_path, state, write):
    write({"state_dict": state, "extra": Payload(tmp_path / "executed")}, tmp_path / "net.pt")
    with pytest.raises(UserError, match=r"net\.pt: .*save"):
        read_checkpoint(tmp_path / "net.pt")
    assert not (tmp_path / "executed").exists()


def test_whole_model(tmp_path):
    torch.save(Digits(), tmp_path / "net.pt")
    with pytest.raises(
        UserError, match=r"holds Python objects \(pipeline\.model\.architectures\.Digits\).*state_dict"
    ):
        read_checkpoint(tmp_path / "net.pt")


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.999])
def test_truncated(tmp_path, state, suffix, share):
    path = tmp_path / f"net{suffix}"
    (save_file if suffix == ".safetensors" else torch.save)(state, path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(UserError, match="truncated, or not a"):
        read_checkpoint(path)


@pytest.mark.parametrize("suffix", [".pt", ".th", ".safetensors"])
def test_text_under_the_name_of_a_checkpoint(tmp_path, suffix):
    path = tmp_path / f"net{suffix}"
    path.write_text("<html>404 Not Found</html>")
    with pytest.raises(UserError, match=f"net{suffix}: "):
        read_checkpoint(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("net.pt", b"", "is empty"),
        ("net.onnx", b"x", "must be one of .safetensors"),
        ("net.pt", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
    ],
)
def test_files_that_are_no_checkpoints(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_checkpoint(tmp_path / name)


def test_missing_file(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_checkpoint(tmp_path / "net.pt")


@pytest.mark.parametrize(
    "content", [{"epoch": 3}, {}, [torch.ones(2)], torch.ones(3), {"best": torch.tensor(0.9)}]
)
def test_file_without_a_state_dict(tmp_path, content):
    torch.save(content, tmp_path / "net.pt")
    with pytest.raises(UserError, match="holds no state dict"):
        read_checkpoint(tmp_path / "net.pt")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite(tmp_path, state, value):
    state["features.3.weight"][0, 0, 0, 0] = value
    torch.save(state, tmp_path / "net.pt")
    with pytest.raises(UserError, match=r"'features\.3\.weight' holds NaN or infinity"):
        read_checkpoint(tmp_path / "net.pt")


def test_keys_that_do_not_fit_are_named(state):
    state["head.weight"] = state.pop("classifier.2.weight")
    state["classifier.2.bias"] = torch.zeros(7)
    with pytest.raises(UserError) as caught:
        fit_state(Digits(), state, "net.pt")
    message = str(caught.value)
    assert message.startswith(
        "net.pt: does not fit the network: missing classifier.2.weight; unexpected head.weight"
    )
    assert "'classifier.2.bias' is [7] and should be [10]" in message
    assert "\n" not in message


def test_state_of_another_network(state):
    with pytest.raises(UserError, match=r"missing .* and \d+ more; unexpected .* and \d+ more"):
        fit_state(torchvision.models.resnet18(weights=None), state, "net.pt")


def test_training_heads_are_left_out(state):
    assert_fits({**state, "AuxLogits.fc.weight": torch.ones(2)}, state)


def test_older_names_of_densenet():
    network = torchvision.models.densenet.DenseNet(4, (1, 1), 8, num_classes=2)
    state = network.state_dict()
    old = {
        name.replace("norm1.", "norm.1.").replace("conv2.", "conv.2."): value for name, value in state.items()
    }
    assert old.keys() != state.keys()
    fit_state(network, old, "test")


@pytest.mark.parametrize("classes", [3, 100])
def test_number_of_classes_is_read_off_the_classifier(classes):
    state = dict(sorted(prefixed(Digits(classes).state_dict(), "module.").items()))
    assert class_count(Digits(), state) == classes


def test_number_of_classes_that_needs_no_change(state):
    assert class_count(Digits(), state) is None
    assert class_count(Digits(), torchvision.models.resnet18(weights=None).state_dict()) is None


def test_counters_of_batch_normalisation_may_be_missing():
    network = nn.Sequential(nn.BatchNorm2d(3))
    given = {name: value for name, value in network.state_dict().items() if not name.endswith("tracked")}
    fit_state(network, given, "test")


def test_what_is_no_tensor_in_a_state_dict_is_left_out_and_said(tmp_path, state, caplog):
    torch.save({**state, "epoch": 3, "best": None, "name": "run 1", "_extra_state": {}}, tmp_path / "net.pt")
    assert_fits(read_checkpoint(tmp_path / "net.pt"), state)
    assert "net.pt: holds epoch, best, name, _extra_state: left out, as no tensors" in caplog.text


def test_numbers_in_a_nested_state_dict(tmp_path, state):
    torch.save({"params": {"lr": 0.1}, "state_dict": {**state, "step": 9}}, tmp_path / "net.pt")
    assert_fits(read_checkpoint(tmp_path / "net.pt"), state)


def test_metrics_beside_the_weights_are_left_out_and_said(tmp_path, state, caplog):
    extra = {"val_acc.tp": torch.ones(10), "steps": torch.tensor(7), "best_loss": torch.tensor(float("inf"))}
    torch.save({**state, **extra}, tmp_path / "net.pt")
    assert_fits(read_checkpoint(tmp_path / "net.pt"), state)
    assert "holds val_acc.tp, steps, best_loss: left out, as no weights of the network" in caplog.text


def test_a_weight_that_the_network_lacks_is_no_metric(state):
    with pytest.raises(UserError, match=r"unexpected act\.weight"):
        fit_state(Digits(), {**state, "act.weight": torch.ones(1)}, "net.pt")


def test_files_whose_suffix_is_that_of_another_kind(tmp_path, state):
    save_file(state, tmp_path / "net.safetensors")
    (tmp_path / "net.safetensors").rename(tmp_path / "net.pt")
    assert_fits(read_checkpoint(tmp_path / "net.pt"), state)
    torch.save(state, tmp_path / "other.safetensors")
    assert_fits(read_checkpoint(tmp_path / "other.safetensors"), state)


def test_truncated_in_the_older_file_format(tmp_path, state):
    torch.save(state, tmp_path / "net.th", _use_new_zipfile_serialization=False)
    whole = (tmp_path / "net.th").read_bytes()
    for share in (0.001, 0.02, 0.5, 0.99):
        (tmp_path / "net.th").write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(UserError, match="truncated, or not a file of torch"):
            read_checkpoint(tmp_path / "net.th")


def test_bytes_of_nothing_known(tmp_path):
    (tmp_path / "net.pt").write_bytes(b"\1\2\3 of no kind")
    with pytest.raises(UserError, match=r"net\.pt: begins with b'.*no file of torch\.save"):
        read_checkpoint(tmp_path / "net.pt")
