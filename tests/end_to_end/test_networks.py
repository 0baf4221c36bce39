"""Networks of a user's own that are not a tensor of three colours in, a tensor of logits out."""

import json
from typing import Any

import pytest

from pipeline import store
from tests.end_to_end.project import Project

SOURCE = """
import torch
from torch import nn

class Small(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(channels, 8, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2),
            nn.Conv2d(8, 12, 3, padding=1), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        )
        self.classifier, self.other = nn.Linear(12, classes), nn.Linear(12, 2)

    def forward(self, images):
        return self.classifier(self.features(images))

class Several(Small):
    def forward(self, images):
        code = self.features(images)
        return {"logits": self.classifier(code), "other": self.other(code)}

class Untraceable(Small):
    def forward(self, images):
        code = self.features(images if images.sum() < 1e9 else -images)
        return self.classifier(code), self.other(code)

def grey_dictionary(classes): return Several(1, classes)
def untraceable_tuple(classes): return Untraceable(3, classes)
"""


def run(project: Project, factory: str, channels: int) -> None:
    (project.root / "inputs" / "network" / "own.py").write_text(SOURCE)
    preprocessing: dict[str, Any] = {"input_size": 16, "resize": 16, "mean": [0.5], "std": [0.5]}
    preprocessing |= {name: preprocessing[name] * channels for name in ("mean", "std")}
    project.set_params({
        "model.architecture": f"inputs/network/own.py:{factory}", "model.preprocessing": preprocessing,
    })  # fmt: skip
    project.must("dvc", "repro")


@pytest.mark.parametrize(
    ("factory", "channels", "code"),
    [("grey_dictionary", 1, "features.5"), ("untraceable_tuple", 3, "classifier.input")],
)
def test_network_gets_a_whole_report(copy: Project, factory: str, channels: int, code: str):
    run(copy, factory, channels)
    described = json.loads((copy.root / "artifacts/weights/model.json").read_text())
    assert len(described["preprocessing"]["mean"]) == channels
    activations = store.open_activations(copy.root / "artifacts/activations")
    assert activations.read("logits").shape[1] == len(described["classes"]) == 4
    assert activations.read("codes").shape[1] == 12
    with store.read(copy.root / "artifacts/activations/index.h5", version=None) as file:
        assert file.attributes()["code_layer"] == code
    assert (copy.root / "report/index.html").is_file()
