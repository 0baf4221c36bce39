"""Tables of the dataset, the network and its accuracy."""

import numpy as np
import pytest

from pipeline.contents.writing import SectionDraft
from pipeline.figures.summary import MOST_CLASSES, Listed, add_accuracy, add_dataset, add_network
from pipeline.formats.activations import KeptLayer
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.predictions import SplitCounts
from pipeline.numerics.geometry import ReceptiveField

ABOUT = {"architecture": "builtin:tiny", "weights": "train", "outputs": 3, "input": (8, 8)}


@pytest.fixture
def section(tmp_path):
    return SectionDraft("summary", tmp_path)


def layer(name, status, size=(7, 5)):
    return KeptLayer(name, "map", 4, LayerGeometry((2, 3), ReceptiveField(size, (2, 1), (0, 0), status)))


def test_the_smallest_of_many_classes_are_added_up(section):
    classes = MOST_CLASSES + 2
    label = np.concatenate([np.repeat(np.arange(classes), 3), np.arange(MOST_CLASSES)]).astype(np.int32)
    ones = np.ones(len(label), np.int32)
    split = np.full(len(label), "train")
    add_dataset(
        section, Listed(label, split, tuple("c" * n for n in range(classes)), ones, ones, 0, "data", 0)
    )
    rows = section.blocks[0].rows
    assert len(rows) == MOST_CLASSES + 2
    assert rows[-2:] == (("2 further classes", 6, 6), ("all", len(label), len(label)))


def test_each_receptive_field_is_stated_as_far_as_it_is_known(section):
    layers = [layer(status, status) for status in ("exact", "bound", "global", "unknown")]
    add_network(section, ABOUT, layers)
    assert [row[3:] for row in section.blocks[0].rows] == [
        ((2, 3), "7 × 5", (2, 1)),
        ((2, 3), "at most 7 × 5", (2, 1)),
        ((2, 3), "whole image", None),
        ((2, 3), "unknown", None),
    ]
    assert (section.numbers["layers"], section.numbers["units"]) == (4, 16)
    assert [part.layer for part in section.layers] == ["exact", "bound", "global", "unknown"]


def test_the_accuracy_is_that_of_the_held_out_split(section):
    splits = SplitCounts(
        ("test", "train"), np.array([10, 30]), np.array([10, 0]), np.array([8, 0]), np.array([10, 0])
    )
    add_accuracy(section, splits, "test", 3)
    assert section.numbers["accuracy"] == 0.8
    (row,) = section.blocks[0].rows
    assert row[:3] == ("test", 10, 0.8) and row[4] is None
    assert row[3] == pytest.approx(
        (section.numbers["accuracy_low"], section.numbers["accuracy_high"]), rel=1e-5
    )


def test_without_labels_there_is_no_table_of_accuracy(section):
    none = np.zeros(1, np.int64)
    add_accuracy(section, SplitCounts(("",), none + 3, none, none, none), "", 3)
    assert not section.blocks
