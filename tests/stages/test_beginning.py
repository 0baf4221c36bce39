"""How stages begin that show the probes to the network; what each leaves, its own tests tell."""

import pytest
import torch

from pipeline import store
from pipeline.formats.probes import VERSION as PROBES_VERSION
from pipeline.formats.status import not_run, status_of, write_status
from pipeline.formats.weights import read_description
from pipeline.images.preprocess import Preprocessing
from pipeline.params import OptionalBlock, digest
from stages.beginning import begin
from tests.small.networks import save_networks
from tests.small.probes import PICTURES, write_unlabelled

PREPROCESSING = Preprocessing(input_size=(8, 8), mean=[0.5] * 3, std=[0.25] * 3)
SOURCE = """
from torch import nn

def flat(classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(192, classes))
"""
RUN = OptionalBlock(run=True)
AS = {"stage": "some_stage", "version": 7}


@pytest.fixture
def paths(tmp_path):
    save_networks(tmp_path, SOURCE, ("flat",), PREPROCESSING)
    write_unlabelled(tmp_path / "probes.h5", PICTURES)
    write_unlabelled(tmp_path / "manifest.h5", PICTURES[:1])
    names = {"probes": "probes.h5", "manifest": "manifest.h5", "weights": "flat", "out": "out.h5"}
    return {name: tmp_path / path for name, path in names.items()} | {"metrics": tmp_path / "metrics.json"}


def test_it_names_what_the_artifact_is_made_from_and_writes_nothing(paths):
    torch.set_num_threads(2)
    begun = begin(RUN, paths, **AS, read=("manifest", "probes"))
    assert begun.probes.image_id.tolist() == [0, 3, 6] and begun.preprocessing == PREPROCESSING
    assert begun.made_from == {
        "params": digest(RUN),
        "manifest": store.digest(paths["manifest"]),
        "probes": store.digest(paths["probes"]),
        "weights": read_description(paths["weights"]).digest,
    }
    assert "manifest" not in begin(RUN, paths, **AS).made_from
    assert torch.get_num_threads() == 1
    assert not paths["out"].exists() and not paths["metrics"].exists()


def test_a_stage_that_is_left_out_reads_nothing(paths, tmp_path):
    without = paths | {"probes": tmp_path / "none.h5", "weights": tmp_path / "none"}
    assert begin(OptionalBlock(run=False), without, **AS) is None
    with store.read(paths["out"], version=7) as file:
        assert status_of(file) == not_run("some_stage")
    assert paths["metrics"].read_text() == "{}\n"


def test_without_probes_their_reason_is_the_stage_s(paths):
    status = not_run("probes")
    write_status(paths["probes"], status, stage="probes", version=PROBES_VERSION)
    assert begin(RUN, paths, **AS) is None
    with store.read(paths["out"], version=7) as file:
        assert status_of(file) == status
