import pytest

from pipeline.analyses.humans.naming import Names

PATHS = ["test/cat/1.png", "test/golf_ball/2.png", "train/cat/1.png", "train/cat/3.png"]
NAMES = Names(PATHS, ["cat", "golf_ball", "n01440764"], ["cat", "golf ball", "tench"])


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("train/cat/3.png", "train/cat/3.png"),
        ("./train/cat/3.png", "train/cat/3.png"),
        ("train\\cat\\3.png", "train/cat/3.png"),
        ("cat/3.png", "train/cat/3.png"),
        ("2.png", "test/golf_ball/2.png"),
        ("cat/1.png", None),
        ("2", "train/cat/1.png"),
        ("4", None),
        ("at/3.png", None),
    ],
)
def test_images_are_found_by_path_end_of_path_or_row(text, path):
    assert NAMES.image(text) == path


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("cat", "cat"),
        ("Golf-Ball", "golf_ball"),
        ("tench", "n01440764"),
        ("none", ""),
        ("None of these", ""),
        ("dog", None),
    ],
)
def test_classes_are_found_by_their_name_or_what_people_call_them(text, label):
    assert NAMES.label(text) == label


def test_a_class_called_none_is_a_class():
    assert Names(PATHS, ["none", "cat"]).label("none") == "none"


def test_anything_goes_while_the_dataset_is_not_there():
    names = Names(None, None)
    assert (names.image("any"), names.label("any"), names.label("none")) == ("any", "any", "")
