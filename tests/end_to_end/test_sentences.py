"""Every sentence of the report is true of its run: runs of every kind, and what their pages say or do not."""

import re

import numpy as np
import pytest

from tests.small.scenes import Scene, words_of

TEN = list("abcdefghij")
MANY = [f"class{number:03}" for number in range(300)]
IDS = ["n01440764", "n02012849", "n03126707"]
ONE_CODE = np.random.default_rng(0).normal(size=8)
# Of 80 identical images the codes differed by 1.5e-8.
ROUND_OFF = ONE_CODE + 1.5e-8 * np.random.default_rng(1).normal(size=(80, 8))

SCENES = {
    "digits": Scene(
        np.arange(60) % 10, TEN, TEN, split=["test" if row % 3 else "train" for row in range(60)],
        training={"epochs": 2},
    ),
    "cifar with a checkpoint": Scene(
        np.arange(60) % 10, TEN, TEN, split=["test" if row % 3 else "train" for row in range(60)]
    ),
    "a validation set": Scene(np.arange(60) % 10, TEN, TEN, split=["test"] * 60, drawn=False),
    "300 classes of one image": Scene(np.arange(300), MANY, MANY),
    "other classes": Scene(np.arange(40) % 2, ["x", "y"], TEN),
    "one class": Scene(np.zeros(40, int), ["a"], TEN),
    "one output": Scene(np.arange(40) % 2, ["x", "y"], ["0"], wrong=0),
    "no labels": Scene(np.full(40, -1), [], TEN),
    "some without a label": Scene(np.arange(81) % 27 - 1, MANY[:26], MANY[:26]),
    "four images": Scene(np.arange(4), TEN[:4], TEN, wrong=0),
    "one image": Scene(np.zeros(1, int), ["a"], TEN, wrong=0),
    "identical images": Scene(np.zeros(80, int), ["a"], TEN, codes=ROUND_OFF),
    "wordnet ids": Scene(
        np.arange(60) % 3, IDS, ["x", "crane", "crane"],
        index_file="n01440764 tench, Tinca tinca\nn02012849 crane\nn03126707 crane\n",
    ),
}  # fmt: skip

# What is said, and what is not.
SAID = {
    "digits": (
        "On the 40 labelled images of the split “test”, which the training here left out,",
        "The network was trained on “train”; what counts is “test”, which was held out.",
        "(trained here)", "of 40 images that were held out",
        "3 images of each class, spread evenly over its files in the order of their names.",
    ),
    "cifar with a checkpoint": (
        "On 60 labelled images", "the network may know these pictures, and do worse on new ones",
        "so: dataset.held_out: 1.", "weights: small.pth",
    ),
    "a validation set": (
        "On the 60 labelled images of the split “test”", "All are of the split “test”.",
        "say, and cannot be seen here",
    ),
    "other classes": ("No class of the dataset is known to be an output of the network",),
    "300 classes of one image": (
        "1 image of each of the first 20 classes of 300.",
        "300 classes, more than the 100 pairs of colour and marker: several look alike",
        "The 30 largest classes are listed, of equal ones the first; the others are added up.",
    ),
    "one class": (
        "The images are of 1 class.", "of the only class", "Its name stands where the class is densest",
    ),
    "one output": ("The network has one output, for which it takes every image: there is no accuracy.",),
    "no labels": (
        "No image has a label, so the accuracy is not known; class folders or a CSV give labels",
        "The network takes the 40 images for 2 of its 10 outputs, and gives what it says a probability of",
        "in the mean; an even guess would be 10.0 %.",
        "Without labels, how the classes lie to each other",
        "3 images of the dataset, spread evenly in the order of names.",
    ),
    "some without a label": (
        "3 images of each of the first 20 classes of 26 and of those without a label, spread evenly over",
        "The images are of 26 classes; 3 have no label.", "no label 3",
    ),
    "four images": ("not applicable: A map needs at least 5 images, and there are 4.",),
    "one image": (
        "not applicable: A map needs at least 5 images, and there is one.", "recorded on 1 image of",
    ),
    "identical images": ("The codes of all 80 images are the same, as far as the round-off of float32",),
    "wordnet ids": (
        "tench n01440764", "crane (n02012849) n02012849", "crane (n03126707) n03126707",
        "crane (output 1)",
    ),
}  # fmt: skip
NOT_SAID = {
    "digits": ("the network may know", "not known", "colours repeat", "look alike"),
    "cifar with a checkpoint": ("held out right", "is the network’s", "split “test”", "train 20"),
    "a validation set": ("may know", "held out right"),
    "other classes": ("No image has a label", "Accuracy"),
    "300 classes of one image": (
        "KNC", "class mean", "names stand at", "Names stand", "The classes that are hardest", "Most frequent",
    ),
    "one class": ("KNC", "colours repeat", "Names stand"),
    "one output": ("mapping.csv", "an even guess"),
    "no labels": (
        "Accuracy", "Calibration", "filter by label", "colour by label", "colours of the labels",
        "The map by label", "The images are of",
    ),
    "some without a label": ("of 27", "No image has a label"),
    "four images": ("Trustworthiness", "perplexity", "Errors", "spread evenly"),
    "one image": ("Trustworthiness", "95 % intervals (Wilson’s)", "Lines are"),
    "identical images": ("Trustworthiness", "perplexity"),
    "wordnet ids": ("label crane",),
}  # fmt: skip
# What no run may say: a plural of one, nothing in numbers, what was never measured.
NEVER = (
    r"\b1 (images|classes|units|layers|files|errors|others|outputs|bins|kinds|times|class means)\b",
    r"\b0 (images|classes|units|layers|files|errors|others|near-duplicates)\b",
    r"\b0 (have|has|are|were)\b", r"after the last ReLU", r"\bnan\b", r"\bNone\b", r"0\.\d+ \(Guo",
    r"\binf\b", r" [.,;:](?!\w)", r"\(\)",
)  # fmt: skip


@pytest.fixture(scope="module")
def pages():
    return {}


@pytest.fixture(params=list(SCENES))
def told(request, pages, tmp_path):
    """Return the name of a run and its words; each is rendered once."""
    name = request.param
    if name not in pages:
        pages[name] = words_of(SCENES[name], tmp_path)
    return name, pages[name]


def test_what_is_true_of_a_run_is_said(told):
    name, words = told
    for sentence in SAID[name]:
        assert sentence in words


def test_what_is_not_true_of_it_is_not_said(told):
    name, words = told
    for sentence in NOT_SAID[name]:
        assert sentence not in words
    for pattern in NEVER:
        assert not re.findall(f".{{40}}{pattern}.{{0,20}}", words)


def test_the_calibration_error_is_written_in_one_way(told):
    _, words = told
    found = re.findall(r"alibration error .*?([\d.]+ %)", words)
    assert len(set(found)) <= 1
    assert len(found) in (0, 2)
