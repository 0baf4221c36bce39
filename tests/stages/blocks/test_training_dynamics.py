"""What `check` says of the user's checkpoints before any stage runs."""

from types import SimpleNamespace

import pytest
import torch

from pipeline.errors import UserError
from pipeline.model.architectures import BUILTIN
from pipeline.weights.assembly import Preview
from stages.blocks import training_dynamics
from tests.small.extraction import PREPROCESSING


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Check a checkpoint with what is given; return the network that it was checked with."""
    monkeypatch.setattr(training_dynamics, "GIVEN", tmp_path)
    network = BUILTIN["digits"](3).eval()

    def check(state, weights="inputs/network/net.pth", run=True, layers="auto", others=False):
        torch.save(state, tmp_path / "epoch-1.pth")
        blocks = {
            "training_dynamics": SimpleNamespace(run=run, layers=layers),
            "model": SimpleNamespace(weights=weights), "extract": SimpleNamespace(layers="auto"),
            "filters": SimpleNamespace(run=others), "fooling": SimpleNamespace(run=False),
        }  # fmt: skip
        before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        training_dynamics.check(blocks, Preview(network, PREPROCESSING))
        assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())

    return check


def test_what_fits_passes_and_changes_nothing(run):
    run(BUILTIN["digits"](3).state_dict())


@pytest.mark.parametrize("weights", ["train", "inputs/network/net.pth"])
def test_layers_that_are_no_maps_are_named(run, weights):
    state = BUILTIN["digits"](3).state_dict()
    run(state, weights, layers=("features.1",))
    with pytest.raises(UserError, match="training_dynamics.layers: no layer matches 'classifier.*'"):
        run(state, weights, layers=("classifier.*",))


def test_what_does_not_fit_is_named(run):
    with pytest.raises(UserError, match=r"epoch-1\.pth: does not fit the network: missing features\.0"):
        run({"other.weight": torch.ones(3)})


def test_what_no_stage_will_read_is_not_checked(run):
    run({"other.weight": torch.ones(3)}, weights="train")
    run({"other.weight": torch.ones(3)}, run=False)
    with pytest.raises(UserError, match="does not fit"):
        run({"other.weight": torch.ones(3)}, run=False, others=True)
