"""The stage check: what it writes when nothing is wrong."""

from pathlib import Path

import yaml

from stages import check


def test_its_output_is_replaced_where_it_is_a_link_into_dvcs_cache(tmp_path):
    stored = tmp_path / "cache"
    stored.write_text("of an earlier version")
    (tmp_path / "check").symlink_to(stored)
    paths = {"params": Path("params.yaml"), "inputs": Path("inputs"), "out": tmp_path / "check"}
    check.run(None, paths)
    assert (tmp_path / "check").read_text() == check.PASSED
    assert stored.read_text() == "of an earlier version"


FORKED = """
import torch
from torch import nn


class Forked(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4, 10)

    def forward(self, x):
        x = self.conv(x).relu()
        if x.max() > 100:
            x = x / 100
        return self.fc(x.mean((2, 3)))
"""


def test_network_that_decides_by_values_is_named_with_file_and_line(tmp_path, caplog):
    source = tmp_path / "inputs" / "network" / "network.py"
    source.parent.mkdir(parents=True)
    source.write_text(FORKED)
    params = yaml.safe_load(Path("params.yaml").read_text())
    params["model"] |= {"architecture": f"{source}:Forked", "weights": "train"}
    params["model"]["preprocessing"] = {
        "input_size": 32, "resize": 32, "crop": "center", "interpolation": "bilinear",
        "mean": [0.5, 0.5, 0.5], "std": [0.2, 0.2, 0.2],
    }  # fmt: skip
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    paths = {"params": tmp_path / "params.yaml", "inputs": tmp_path / "inputs", "out": tmp_path / "check"}
    check.run(None, paths)
    lines = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    (line,) = [line for line in lines if "hooks" in line]
    assert f"{source}:13: what runs next may depend on values" in line
    assert "functional activations are not seen" in line
