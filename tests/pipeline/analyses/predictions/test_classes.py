"""Classes of a dataset and outputs of a network."""

import pytest

from pipeline.analyses.predictions.classes import match_classes, read_mapping
from pipeline.errors import UserError

OUTPUTS = ("tench", "English springer", "crane", "church", "Church", "crane", "7")
INDEX = {"n01440764": 2, "n03888257": 1, "n03028079": 0}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tench", 0),
        ("TENCH", 0),
        ("english_springer", 1),
        ("church", 3),
        ("Church", 4),
        ("truck", -1),
        ("0", -1),
        ("7", 6),
    ],
)
def test_by_name(name, expected):
    assert match_classes([name], OUTPUTS).tolist() == [expected]


def test_the_mapping_comes_first():
    mapping = {"tench": "church", "fish": "0", "bird": "5", "seven": "7"}
    found = match_classes(["tench", "fish", "bird", "seven", "x"], OUTPUTS, mapping)
    assert found.tolist() == [3, 0, 5, 6, -1]


@pytest.mark.parametrize(
    ("classes", "mapping", "message"),
    [
        (["crane"], {}, r"fits the outputs \[2, 5\]"),
        (["CHURCH"], {}, r"fits the outputs \[3, 4\]"),
        (["a"], {"a": "crane"}, r"\[2, 5\] are all called 'crane'"),
        (["a"], {"a": "tensh"}, "no output 'tensh'; did you mean 'tench'"),
        (["a"], {"a": "99"}, "no output '99'"),
        (["truck"], {"trukc": "tench"}, "no class 'trukc'; did you mean 'truck'"),
    ],
)
def test_what_cannot_be_matched_is_refused(classes, mapping, message):
    with pytest.raises(UserError, match=message):
        match_classes(classes, OUTPUTS, mapping)


def test_wordnet_ids_come_after_the_mapping_and_the_name():
    outputs = ("tench", "church", "parachute")
    classes = ["n03888257", "n01440764", "n03028079"]
    assert match_classes(classes, outputs).tolist() == [2, 0, 1]
    assert match_classes(classes, outputs, {"n03888257": "church"}).tolist() == [1, 0, 1]
    assert match_classes(classes, outputs, None, dict(zip(classes, range(3), strict=True))).tolist() == [
        0,
        1,
        2,
    ]
    assert match_classes(classes, tuple(classes)).tolist() == [0, 1, 2]
    assert match_classes(["tench", "n03888257"], outputs, None, INDEX).tolist() == [0, 1]


def test_mapping_from_a_file(tmp_path):
    path = tmp_path / "mapping.csv"
    assert read_mapping(path) == {}
    path.write_text("dataset_class,output\nn01440764,tench\nn02102040, English springer\n")
    assert read_mapping(path) == {"n01440764": "tench", "n02102040": "English springer"}
    path.write_text("dataset_class,output\na,b\na,c\n")
    with pytest.raises(UserError, match="'a' stands there twice"):
        read_mapping(path)
