import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from pipeline.errors import UserError
from pipeline.formats.manifest import write_manifest
from pipeline.images.preprocess import Preprocessing
from pipeline.manifest.manifest import Selection, build_manifest
from pipeline.weights.training import Labelled, Schedule, read_labelled, shifted, train

PREPROCESSING = Preprocessing(input_size=(8, 8), resize=None, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
SCHEDULE = Schedule(epochs=3, learning_rate=0.05, batch_size=16, shift=1, weight_decay=0.0, seed=0)


def images(count, seed):
    """Bright on the left, or bright on the right."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    pixels = rng.integers(0, 100, (count, 8, 8, 3), dtype=np.uint8)
    for image, label in zip(pixels, labels, strict=True):
        image[:, 4 * label : 4 * label + 4] += 120
    return Labelled(pixels, labels.astype(np.int64))


def build():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))


def run():
    epochs, states = [], []
    for epoch, network in train(build, (images(96, 0), images(40, 1)), PREPROCESSING, SCHEDULE):
        epochs.append(epoch)
        states.append({name: value.clone() for name, value in network.state_dict().items()})
    return epochs, states


def test_training_learns_and_starts_with_the_untrained_network():
    epochs, _ = run()
    assert [epoch.number for epoch in epochs] == [0, 1, 2, 3]
    assert epochs[0].train_loss is None
    assert epochs[-1].held_out_loss < epochs[0].held_out_loss / 4
    assert epochs[-1].correct == epochs[-1].total == 40


def test_training_repeats_bit_by_bit():
    (first, weights), (second, others) = run(), run()
    assert first == second
    assert all(torch.equal(weights[3][name], others[3][name]) for name in weights[3])


def test_first_of_several_outputs_is_trained():
    class Several(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = build()

        def forward(self, x):
            logits = self.inner(x)
            return {"logits": logits, "other": logits.sum(1)}

    data = (images(96, 0), images(40, 1))
    epochs = [epoch for epoch, _ in train(Several, data, PREPROCESSING, SCHEDULE)]
    assert epochs == run()[0]


def test_an_image_is_shifted_by_whole_pixels_and_its_border_repeated():
    image = torch.arange(9.0).reshape(1, 1, 3, 3)
    assert shifted(image, np.array([[1, 0]]))[0, 0].tolist() == [[3, 4, 5], [6, 7, 8], [6, 7, 8]]
    assert shifted(image, np.array([[0, -1]]))[0, 0].tolist() == [[0, 0, 1], [3, 3, 4], [6, 6, 7]]
    assert torch.equal(shifted(image, np.array([[0, 0]])), image)


@pytest.fixture
def manifest(tmp_path):
    """Eight images of two classes, half of them held out; a pixel says which image and which split."""
    for number in range(8):
        path = tmp_path / "data" / ("test", "train")[number % 2] / f"class{number // 4}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (number, 255 * (number % 2), 0)).save(path)
    found = build_manifest(tmp_path / "data", Selection())
    dataset = str(tmp_path / "data")
    write_manifest(found, tmp_path / "manifest.h5", dataset=dataset, max_bad_fraction=0.0, params="")
    return tmp_path / "manifest.h5"


def test_images_are_read_by_split_and_those_that_changed_are_left_out(manifest):
    Image.new("RGB", (8, 8)).save(manifest.parent / "data" / "train" / "class1" / "7.png")
    training, held_out = read_labelled(manifest, PREPROCESSING)
    assert training.pixels[:, 0, 0, :2].tolist() == [[1, 255], [3, 255], [5, 255]]
    assert held_out.pixels[:, 0, 0, :2].tolist() == [[0, 0], [2, 0], [4, 0], [6, 0]]
    assert (training.labels.tolist(), held_out.labels.tolist()) == ([0, 0, 1], [0, 0, 1, 1])


def test_images_are_read_in_grey_for_a_network_of_one_channel(manifest):
    grey = PREPROCESSING.model_copy(update={"mean": (0.5,), "std": (0.5,)})
    training, held_out = read_labelled(manifest, grey)
    assert training.pixels.shape == held_out.pixels.shape == (4, 8, 8, 1)
    assert training.pixels[:, 0, 0, 0].tolist() == [150, 151, 151, 152]


@pytest.mark.parametrize("gone", ["*", "train"])
def test_images_that_are_all_gone_are_told(manifest, gone):
    for path in (manifest.parent / "data").glob(f"{gone}/*/*.png"):
        path.unlink()
    with pytest.raises(UserError, match="can be read: run the manifest stage again"):
        read_labelled(manifest, PREPROCESSING)
