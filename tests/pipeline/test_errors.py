"""The name that a wrong one was meant to be; what stands in the place of a file."""

import pytest

from pipeline.errors import nearest, some, stand_in


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("featurs.1", "features.1"),
        ("FEATURES.1", "features.1"),
        ("imagenet_v1", "IMAGENET1K_V1"),
        ("", None),
        ("zebra", None),
    ],
)
def test_nearest_name(name, meant):
    assert nearest(name, ["features.1", "classifier", "IMAGENET1K_V1"]) == meant


def test_nothing_is_near_where_there_is_nothing():
    assert nearest("conv", []) is None


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"/annex/objects/SHA256E-s9--0.pth", "git annex get"),
        (b"\xef\xbb\xbf\r\n <!doctype HTML>", "web page"),
        (b"<HTML lang=en>", "web page"),
        (b"<?xml version='1.0'?>", "XML"),
    ],
)
def test_what_stands_in_the_place_of_a_file(head, words):
    assert words in stand_in(head)


def test_other_files_stand_for_themselves():
    assert stand_in(b"") is stand_in(b"path,label\n") is stand_in(b"\x89PNG") is None


def test_long_lists_are_cut():
    assert some("abc", 2) == "a, b and 1 more"
    assert (some(("a", "b"), 2), some((), 2)) == ("a, b", "")
