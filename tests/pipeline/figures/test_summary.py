"""Tables of the dataset, the network and its accuracy."""

import numpy as np
import pytest

from pipeline.contents.writing import SectionDraft
from pipeline.figures.summary import MOST_CLASSES, Listed, add_accuracy, add_dataset, add_network
from pipeline.formats.activations import KeptLayer
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.predictions import Calibration, Confusion, Evaluated, SplitCounts
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
    add_dataset(section, Listed(label, split, names(classes), names(classes), ones, ones, 0, "data", 0))
    rows = section.blocks[0].rows
    assert len(rows) == MOST_CLASSES + 2
    assert rows[-2:] == (("2 further classes", 6), ("all", len(label)))
    assert section.blocks[0].numbers == {"listed": MOST_CLASSES, "counted": classes}


def names(count, letter="c"):
    return tuple(letter * n for n in range(count))


def test_splits_are_columns_where_there_are_several(section):
    ones, label = np.ones(3, np.int32), np.array([0, 1, 1], np.int32)
    split = np.array(["test", "train", "train"])
    add_dataset(section, Listed(label, split, ("a", "b"), ("a", "b"), ones, ones, 0, "data", 0))
    assert section.blocks[0].rows == (("a", 1, 0, 1), ("b", 0, 2, 2), ("all", 1, 2, 3))


def test_what_people_call_a_class_stands_before_its_own_name(section):
    ones, label = np.ones(3, np.int32), np.array([0, 0, -1], np.int32)
    split = np.full(3, "")
    add_dataset(section, Listed(label, split, ("n01440764",), ("tench",), ones, ones, 0, "data", 0))
    assert section.blocks[0].rows == (("tench", "n01440764", 2), ("no label", None, 1), ("all", None, 3))
    assert [column.name for column in section.blocks[0].columns] == ["class", "own_name", "images"]


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
    add_accuracy(section, evaluated(splits, "test", "held out"))
    assert section.numbers["accuracy"] == 0.8
    (row,) = section.blocks[0].rows
    # Among three outputs every label is one of the first five.
    assert row[:3] == ("test", 10, 0.8) and len(row) == 4
    assert row[3] == pytest.approx(
        (section.numbers["accuracy_low"], section.numbers["accuracy_high"]), rel=1e-5
    )


def test_without_labels_there_is_no_table_of_accuracy(section):
    none = np.zeros(1, np.int64)
    add_accuracy(section, evaluated(SplitCounts(("",), none + 3, none, none, none), "", "unknown"))
    assert not section.blocks


def test_where_nothing_is_known_of_the_images_all_count(section):
    splits = SplitCounts(("a", "b"), np.array([10, 30]), np.array([10, 30]), np.array([8, 22]), np.zeros(2))
    add_accuracy(section, evaluated(splits, "", "unknown"))
    assert (section.numbers["accuracy"], section.numbers["accuracy_images"]) == (0.75, 40)


def evaluated(splits, held_out, basis):
    none = np.zeros(0)
    return Evaluated(
        none, none, none, none, none, none, none, none, confusion=Confusion(none, none, none),
        calibration=Calibration(none, none, none, none, none), splits=splits, class_output=none,
        output_name=("a", "b", "c"), held_out=held_out, basis=basis,
    )  # fmt: skip
