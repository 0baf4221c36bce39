import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dataset.names import escape, leaves, unescape


@given(st.binary(min_size=1, max_size=40).filter(lambda name: b"\0" not in name))
def test_every_name_comes_back(name):
    text = escape(os.fsdecode(name))
    assert os.fsencode(unescape(text)) == name
    assert text.encode("utf-8").decode("utf-8") == text
    assert text.isprintable() or not any(ord(letter) < 32 for letter in text)


@pytest.mark.parametrize(
    "name", ["cat/1.jpg", "Größe & co (1).png", "日本/犬.jpg", "100%.jpg", "a'b\"c<d>.png"]
)
def test_ordinary_names_stay(name):
    assert escape(name) == name
    assert unescape(name) == name


def test_bytes_and_control_characters_are_written_out():
    assert escape(os.fsdecode(b"caf\xe9.jpg")) == "caf\\xe9.jpg"
    assert escape("a\nb\\c") == "a\\x0ab\\x5cc"


def test_a_backslash_that_escapes_nothing_is_itself():
    assert unescape("dir\\file") == "dir\\file"


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/passwd", "", "a/.."])
def test_paths_that_leave(path):
    assert leaves(path)


@pytest.mark.parametrize("path", ["a/b", "a..b/c", "...", "./a"])
def test_paths_that_stay(path):
    assert not leaves(path)
