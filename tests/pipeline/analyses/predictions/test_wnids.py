"""WordNet ids of a dataset, and the files that say which outputs they are."""

import json
import logging

import pytest

from pipeline.analyses.predictions.wnids import (
    JSON_FILE,
    TEXT_FILE,
    class_index_file,
    is_wnid,
    match_wnids,
    read_class_index,
)
from pipeline.errors import UserError

WNIDS = ["n01440764", "n01443537", "n01484850"]
OUTPUTS = ("tench", "goldfish", "great white shark")
# Not in the order of the ids, so that it can be told from that.
INDEX = {"n01484850": 0, "n01440764": 1, "n01443537": 2}
JSON = {"0": ["n01484850", "great_white_shark"], "2": ["n01443537", "goldfish"], "1": ["n01440764", "tench"]}
LINES = "n01484850 great white shark, white shark\r\nn01440764 tench, Tinca tinca\nn01443537 goldfish\n\n"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("n01440764", True), ("N01440764", False), ("n0144076", False), ("n014407641", False), ("tench", False)],
)
def test_what_a_wordnet_id_is(name, expected):
    assert is_wnid(name) is expected


def test_as_many_ids_as_outputs_are_the_outputs_in_sorted_order_and_it_is_said(caplog):
    caplog.set_level(logging.INFO)
    assert match_wnids(WNIDS[::-1], OUTPUTS) == {"n01440764": 0, "n01443537": 1, "n01484850": 2}
    assert "the 3 classes are WordNet ids" in caplog.text


@pytest.mark.parametrize(
    ("classes", "outputs"),
    [
        (WNIDS[:2], OUTPUTS),
        (["tench", *WNIDS], OUTPUTS),
        (["tench", *WNIDS[1:]], OUTPUTS),
        (WNIDS, (*OUTPUTS, "hammerhead")),
        (WNIDS, ("n01484850", "n01440764", "n01443537")),
        (WNIDS, ("tench", "goldfish", "n01484850")),
    ],
)
def test_the_order_says_nothing_otherwise(classes, outputs, caplog):
    caplog.set_level(logging.INFO)
    assert match_wnids(classes, outputs) == {}
    assert caplog.text == ""


def test_the_index_decides():
    assert match_wnids(WNIDS, OUTPUTS, INDEX) == INDEX
    assert match_wnids(["tench", "n01443537", "n09999999"], OUTPUTS, INDEX) == {"n01443537": 2}


def test_an_index_of_another_network_is_refused():
    with pytest.raises(
        UserError, match="index lists 3 classes, but the network has 4 outputs; take the file"
    ):
        match_wnids(WNIDS, (*OUTPUTS, "hammerhead"), INDEX)
    assert match_wnids(["tench"], (*OUTPUTS, "hammerhead"), INDEX) == {}


@pytest.mark.parametrize(("name", "text"), [(JSON_FILE, json.dumps(JSON)), (TEXT_FILE, LINES)])
def test_index_from_a_file(tmp_path, name, text):
    assert read_class_index(tmp_path) == {}
    assert class_index_file(tmp_path) is None
    (tmp_path / name).write_text(text, newline="", encoding="utf-8-sig")
    assert read_class_index(tmp_path) == INDEX
    assert class_index_file(tmp_path) == tmp_path / name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n01440764 tench", "not JSON"),
        ('["n01440764"]', "not an object of numbers; it must be"),
        ("3", "not an object of numbers"),
        ("{}", "lists no class"),
        ('{"tench": ["n01440764", "tench"]}', "entry 'tench' is wrong"),
        ('{"0": "n01440764"}', "entry '0' is wrong"),
        ('{"0": []}', "entry '0' is wrong"),
        ('{"0": ["n01440764"], "0": ["n01443537"]}', "entry '0' is wrong or there twice"),
        ('{"0": ["n01440764"], "00": ["n01443537"]}', "entry '00' is wrong or there twice"),
        ('{"0": ["n01440764"], "2": ["n01443537"]}', "no entry '1' of 2"),
        ('{"0": ["n01440764"], "1": ["n01440764"]}', "'n01440764' stands there twice"),
        ('{"0": ["tench", "n01440764"]}', "'tench' is no WordNet id; one looks like n01440764"),
    ],
)
def test_json_of_another_form_is_refused(tmp_path, text, message):
    (tmp_path / JSON_FILE).write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        read_class_index(tmp_path)
    assert JSON_FILE in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n", "lists no class"),
        ("tench, Tinca tinca\n", "'tench,' is no WordNet id"),
        ("n01440764 tench\nn01440764 tench\n", "'n01440764' stands there twice"),
    ],
)
def test_lines_of_another_form_are_refused(tmp_path, text, message):
    (tmp_path / TEXT_FILE).write_text(text)
    with pytest.raises(UserError, match=message):
        read_class_index(tmp_path)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / TEXT_FILE).write_bytes(b"n01440764 \xff\n")
    with pytest.raises(UserError, match="cannot be read as text in UTF-8"):
        read_class_index(tmp_path)


def test_two_files_are_refused(tmp_path):
    for name in (JSON_FILE, TEXT_FILE):
        (tmp_path / name).touch()
    with pytest.raises(
        UserError, match=f"both {JSON_FILE} and {TEXT_FILE} give the order of outputs; keep one"
    ):
        read_class_index(tmp_path)
