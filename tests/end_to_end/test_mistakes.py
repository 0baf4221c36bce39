"""A user's mistake ends in one line, before anything that was there is touched."""

from typing import Any

import pytest

from tests.end_to_end.project import Project

# Values by dotted key -> words that the one line has to hold.
MISTAKES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "mistyped key": ({"topk.margins": 1}, ("topk.margins", "margin")),
    "mistyped block": ({"topks": {"k": 3}}, ("topks", "topk")),
    "k of zero": ({"topk.k": 0}, ("topk.k", "0")),
    "text for a number": ({"thumbnails.side": "large"}, ("thumbnails.side", "large")),
    "unknown layer": ({"extract.layers": ["conv9"]}, ("extract.layers", "conv9", "features.1")),
    "missing dataset": ({"dataset.path": "nowhere"}, ("dataset.path", "nowhere")),
    "empty dataset": ({"dataset.path": "empty"}, ("dataset.path", "empty")),
    "unknown network": ({"model.architecture": "torchvision:alexnett"}, ("model.architecture", "alexnet")),
    "missing weights": ({"model.weights": "inputs/network/gone.pt"}, ("model.weights", "gone.pt")),
    "weights beside a file that is there": (
        {"model.weights": "inputs/network/digit.pt"},
        ("model.weights", "no such file", "did you mean 'inputs/network/digits.pt'"),
    ),
    "weights of a suffix that is not read": (
        {"model.weights": "inputs/network/digits.onnx"},
        ("model.weights", "digits.onnx", ".safetensors", "did you mean 'inputs/network/digits.pt'"),
    ),
    "misspelt way to weights": ({"model.weights": "trian"}, ("model.weights", "trian", "'train'")),
    "unknown weights of torchvision": (
        {"model.architecture": "torchvision:squeezenet1_1", "model.weights": "IMAGENET1K_V2"},
        ("model.weights", "squeezenet1_1", "IMAGENET1K_V2", "did you mean 'IMAGENET1K_V1'"),
    ),
    "grey images for a network of colours": (
        {"model.preprocessing": {"input_size": 32, "resize": 32, "mean": [0.5], "std": [0.5]}},
        ("model.preprocessing", "1 value", "takes 3 input channels", "[0.5, 0.5, 0.5]"),
    ),
}


@pytest.fixture(scope="module")
def project(module_copy: Project) -> Project:
    (module_copy.root / "empty").mkdir()
    return module_copy


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_one_line_and_leaves_every_output(project: Project, name: str):
    before, params = project.results(), (project.root / "params.yaml").read_bytes()
    changes, words = MISTAKES[name]
    project.set_params(changes, new=True)
    # The file that misspelt ones are near to.
    checkpoint = project.root / "inputs" / "network" / "digits.pt"
    checkpoint.touch()
    outcome = project.run("dvc", "repro")
    checkpoint.unlink()
    (project.root / "params.yaml").write_bytes(params)
    lines = [line for line in outcome.text.splitlines() if line.startswith("check: error:")]
    assert outcome.code != 0
    assert len(lines) == 1 and "Traceback" not in outcome.text, outcome.text
    assert all(word in lines[0] for word in words), lines[0]
    assert project.results() == before


def test_a_caption_that_is_no_template_leaves_the_report_that_was_there(project: Project):
    before, caption = project.results(), project.root / "pipeline/report/captions/units.md"
    text = caption.read_bytes()
    caption.write_bytes(text + b"\n{% if images %}\n")
    outcome = project.run("dvc", "repro")
    caption.write_bytes(text)
    (line,) = [line for line in outcome.text.splitlines() if line.startswith("check: error:")]
    assert outcome.code != 0 and "captions/units.md" in line and "endif" in line
    assert "Traceback" not in outcome.text
    assert project.results() == before


def test_after_mistakes_nothing_has_to_run(project: Project):
    assert not project.must("dvc", "repro").ran


def test_yaml_that_does_not_parse_is_named_with_its_line(project: Project):
    text = (project.root / "params.yaml").read_text()
    (project.root / "params.yaml").write_text(text + "topk: [1\n")
    outcome = project.run("dvc", "repro")
    (project.root / "params.yaml").write_text(text)
    assert outcome.code != 0
    assert "params.yaml" in outcome.text and "Traceback" not in outcome.text
