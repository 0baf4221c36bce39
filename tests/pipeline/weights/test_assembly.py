"""What the parameters name, put together: where weights, class names and preprocessing come from."""

import logging

import pytest
import torch

from pipeline.errors import UserError
from pipeline.images.preprocess import Preprocessing
from pipeline.model.building import build_network
from pipeline.weights.assembly import Source, pretrained, preview, untrained

SMALL = Preprocessing(input_size=(8, 8), resize=8)
GREY = Preprocessing(input_size=(8, 8), resize=8, mean=(0.5,), std=(0.5,))
OWN = """
from torch import nn
def network(): return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 2))
def maps(): return nn.Conv2d(3, 4, 3)
def grey(): return nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(144, 2))
def four(): return nn.Sequential(nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(144, 2))
class Several(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = grey()
    def forward(self, x):
        return self.inner(x), x
class Two(Several):
    def forward(self, x, y): return self.inner(x + y)
class Wrong(Several):
    def forward(self, x):
        return self.inner(x)[self.index]
class Standardised(Several):
    def forward(self, x): return self.inner((x - x.mean()) / x.std())
def softmax(): return nn.Sequential(network(), nn.Softmax(1))
def log_softmax(): return nn.Sequential(network(), nn.LogSoftmax(1))
"""


@pytest.fixture
def inputs(tmp_path):
    for name in ("network", "classes"):
        (tmp_path / name).mkdir()
    (tmp_path / "network" / "own.py").write_text(OWN)
    state = build_network("builtin:digits", 3, tmp_path).state_dict()
    torch.save(state, tmp_path / "network" / "three.pth")
    return tmp_path


def three(inputs):
    return Source("builtin:digits", "three.pth", None, inputs)


def test_a_network_for_training_has_the_classes_of_the_dataset(inputs):
    network, description = untrained(Source("builtin:digits", "train", None, inputs), ["a", "b"])
    assert network(torch.zeros(1, 3, 32, 32)).shape == (1, 2)
    assert (description.classes, description.weights) == (("a", "b"), "train")
    assert description.preprocessing.input_size == (32, 32)


def test_a_checkpoint_says_how_many_outputs_there_are(inputs):
    network, description = pretrained(three(inputs), ["dog", "cat"])
    assert network(torch.zeros(1, 3, 32, 32)).shape == (1, 3)
    assert description.classes == ("0", "1", "2")


def test_outputs_without_names_are_said_to_be_numbers_where_the_classes_are_known(inputs, caplog):
    caplog.set_level(logging.INFO)
    pretrained(three(inputs), ())
    assert "called by their numbers" not in caplog.text
    pretrained(three(inputs), ["x", "y"])
    assert "outputs are called by their numbers, 0 to 2; inputs/classes/names.txt can name" in caplog.text


@pytest.mark.parametrize(("outputs", "said"), [(1, True), (2, False)])
def test_of_one_output_it_is_said_how_two_are_made_of_it(inputs, caplog, outputs, said):
    torch.save(build_network("builtin:digits", outputs, inputs).state_dict(), inputs / "network" / "some.pth")
    pretrained(Source("builtin:digits", "some.pth", None, inputs), ())
    assert ("torch.cat([torch.zeros_like(x), x], 1)" in caplog.text) == said


def test_class_names_are_those_of_the_file_else_of_a_dataset_with_as_many(inputs):
    assert pretrained(three(inputs), ["x", "y", "z"])[1].classes == ("x", "y", "z")
    (inputs / "classes" / "names.txt").write_text("\ufeffun\n\n deux \ntrès\n", encoding="utf-8")
    assert pretrained(three(inputs), ["x", "y", "z"])[1].classes == ("un", "deux", "très")


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"a\nb\n", "2 names, but the network has 3 outputs"), (b"caf\xe9\n", "names.txt: .*UTF-8")],
)
def test_class_names_that_do_not_fit(inputs, content, words):
    (inputs / "classes" / "names.txt").write_bytes(content)
    with pytest.raises(UserError, match=words):
        pretrained(three(inputs), [])


@pytest.mark.parametrize(
    ("architecture", "weights", "preprocessing", "words"),
    [
        ("builtin:digits", "zzz.pth", None, "zzz.pth: no such file; put it into .*network"),
        (
            "builtin:digits",
            "network/tree.pt",
            None,
            r"tree.pt: no such file; did you mean '.*network/three\.pth'",
        ),
        (
            "builtin:digits",
            "three.onnx",
            None,
            r"three.onnx: no checkpoint that is read \(.*\); did you mean '.*/three",
        ),
        ("torchvision:alexnet", "x/y", None, "x/y: no checkpoint that is read .*; save the state_dict"),
        ("torchvision:alexnet", "AlexNet_Weights.imagenet1k_v2", None, "did you mean 'IMAGENET1K_V1'"),
        ("builtin:digits", "trian", None, "'trian' is neither train nor a file .* did you mean 'train'"),
        (
            "builtin:digits",
            "DEFAULT",
            None,
            "'DEFAULT' is neither train nor a file .* for torchvision's networks",
        ),
        ("own.py:network", "train", None, "auto is not possible"),
        ("own.py:network", "train", Preprocessing(input_size=(9, 9), resize=9), "inputs of 9 x 9 pixels"),
        (
            "own.py:grey",
            "train",
            SMALL,
            r"have 3 values, .* takes 1 input channel; write mean: \[0.5\] and std: \[0.5\]",
        ),
        (
            "builtin:digits",
            "train",
            GREY,
            r"have 1 value, .* takes 3 input channels; write mean: \[0.5, 0.5, 0.5\]",
        ),
        ("own.py:four", "train", SMALL, "takes 4 input channels; only 3 "),
        (
            "own.py:Two",
            "train",
            GREY,
            "model: the network does not run .* TypeError: .*'y'; its forward is given the",
        ),
        ("own.py:Wrong", "train", GREY, r"own\.py:17: the network does not run .* AttributeError: .*'index'"),
        ("own.py:softmax", "train", SMALL, "returns probabilities .* leave out its last softmax"),
        ("own.py:maps", "train", SMALL, r"must return logits .* got shape \(1, 4, 6, 6\)"),
    ],
)
def test_mistakes_are_named(inputs, architecture, weights, preprocessing, words):
    source = Source(architecture, weights, preprocessing, inputs)
    with pytest.raises(UserError, match=words):
        untrained(source, ["a", "b"]) if weights == "train" else pretrained(source, [])


def test_logarithms_of_probabilities_are_taken(inputs):
    untrained(Source("own.py:log_softmax", "train", SMALL, inputs), ["a", "b"])


def test_files_in_whose_place_dvc_sees_no_change_are_refused_and_links_to_them_taken(
    inputs, tmp_path_factory
):
    away, network = tmp_path_factory.mktemp("away"), inputs / "network"
    for name in ("own.py", "three.pth"):
        (network / name).rename(away / name)
    for wrong in (Source("builtin:digits", str(away / "three.pth"), None, inputs),
                  Source(f"{away}/own.py:network", "train", SMALL, inputs)):  # fmt: skip
        with pytest.raises(
            UserError, match="lies outside of .*network, where a change of it .* put a copy there"
        ):
            preview(wrong)
    for name in ("own.py", "three.pth"):
        (network / name).symlink_to(away / name)
    preview(three(inputs))
    preview(Source("own.py:network", "train", SMALL, inputs))
    (away / "project").symlink_to(inputs)
    preview(Source("builtin:digits", str(away / "project" / "network" / "three.pth"), None, inputs))


@pytest.mark.parametrize(
    ("classes", "warned"),
    [(["0", "1", "2"], False), (["2", "9", "10"], True), (["b", "a", "c"], False)],
)
def test_order_of_outputs_is_said_and_doubted_where_numbers_are_otherwise_ordered_as_text(
    inputs, caplog, classes, warned
):
    caplog.set_level("INFO")
    assert list(pretrained(three(inputs), classes)[1].classes) == classes
    assert f"classes in this order: {', '.join(classes)}" in caplog.text
    assert ("ImageFolder and Keras order class folders as text (10, 2, 9)" in caplog.text) is warned


def test_trained_network_whose_outputs_are_no_numbers_is_refused_before_any_image_is_read(inputs):
    path, own = inputs / "network" / "trained.pt", "own.py:Standardised"
    network = build_network(own, None, inputs)
    torch.save(network.state_dict(), path)
    assert pretrained(Source(own, str(path), GREY, inputs), [])[1].classes == ("0", "1")
    with torch.no_grad():
        network.inner[2].weight.fill_(3e38)
    torch.save(network.state_dict(), path)
    with pytest.raises(UserError, match="outputs are NaN or infinite"):
        pretrained(Source(own, str(path), GREY, inputs), [])


def test_a_preview_needs_no_dataset(inputs):
    for source in (three(inputs), Source("own.py:network", "train", SMALL, inputs)):
        found = preview(source)
        assert found.network(torch.zeros(1, 3, *found.preprocessing.input_size)).ndim == 2
        assert found.code_layer in [layer.name for layer in found.layers]


def test_a_preview_needs_no_download(inputs, monkeypatch):
    monkeypatch.setattr("torch.hub.load_state_dict_from_url", None)
    found = preview(Source("torchvision:mobilenet_v3_small", "DEFAULT", None, inputs))
    assert found.preprocessing.input_size == (224, 224)


@pytest.mark.parametrize(
    ("weights", "words"),
    [("gone.pt", "no such file"), ("three.onnx", "no checkpoint that is read"), ("DEFUALT", "neither train")],
)
def test_a_preview_finds_weights_that_are_not_there(inputs, weights, words):
    with pytest.raises(UserError, match=words):
        preview(Source("builtin:digits", weights, None, inputs))


def test_networks_of_one_channel_and_of_several_outputs_are_taken(inputs):
    network, description = untrained(Source("own.py:Several", "train", GREY, inputs), ["a", "b"])
    assert network(torch.zeros(1, 1, 8, 8))[0].shape == (1, 2)
    assert description.preprocessing.channels == 1
    torch.save(network.state_dict(), inputs / "network" / "several.pt")
    assert pretrained(Source("own.py:Several", "several.pt", GREY, inputs), [])[1].classes == ("0", "1")
