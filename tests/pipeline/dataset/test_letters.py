"""The rendered letters are what their table says of them."""

from itertools import islice
from string import ascii_uppercase

import numpy as np
import pytest
from PIL import Image

from pipeline.dataset import letters as module
from pipeline.dataset.dataset import open_dataset
from pipeline.dataset.letters import LEAST_CONTRAST, SIDE, letters
from pipeline.dataset.samples import LETTERS_TABLE, write_sample
from pipeline.manifest.scanning import scan


@pytest.fixture(scope="module")
def few():
    return list(letters(per_class=4))


def test_each_letter_comes_as_often(few):
    assert [letter.label for letter in few] == [label for label in ascii_uppercase for _ in range(4)]
    assert all(letter.pixels.size == (SIDE, SIDE) and letter.pixels.mode == "RGB" for letter in few)


def test_an_image_depends_on_the_seed_and_its_number_alone(few):
    for again, letter in zip(islice(letters(per_class=2), 2), few, strict=False):
        assert again.attributes == letter.attributes
        np.testing.assert_array_equal(np.asarray(again.pixels), np.asarray(letter.pixels))
    other = next(iter(letters(per_class=1, seed=1)))
    assert other.attributes != few[0].attributes


def test_the_box_holds_the_ink_and_no_more(few, monkeypatch):
    """Over a black ground the ink is what is not black."""
    black = lambda photograph, random: Image.new("RGB", (SIDE, SIDE))  # noqa: E731
    monkeypatch.setattr(module, "CLUTTERED", 0)
    monkeypatch.setattr(module, "_crop", black)
    for letter in islice(letters(per_class=1), 26):
        x0, y0, x1, y1 = letter.box
        strength = np.asarray(letter.pixels).astype(int).sum(2)
        inked = strength > 0.55 * strength.max()
        rows, columns = np.flatnonzero(inked.any(1)), np.flatnonzero(inked.any(0))
        found = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
        assert np.abs(found - (x0, y0, x1, y1)).max() <= 1


def test_the_ink_differs_from_what_it_covers(few):
    assert min(letter.attributes["contrast"] for letter in few) >= LEAST_CONTRAST
    assert {letter.attributes["clutter"] for letter in few} == {"none", "letter", "strokes"}


def test_the_table_is_read_as_a_dataset_with_boxes_and_attributes(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.dataset.samples.PER_CLASS", 2)
    monkeypatch.setattr("pipeline.dataset.samples.letters", lambda: letters(per_class=2))
    assert write_sample("letters", tmp_path / "letters") == 52
    found = scan(open_dataset(tmp_path / "letters" / LETTERS_TABLE))
    assert len(found.records) == 52
    assert list(found.classes) == list(ascii_uppercase)
    first = next(iter(letters(per_class=2)))
    assert found.records[0].boxes == (tuple(map(float, first.box)),)
    assert found.records[0].attributes == {name: str(value) for name, value in first.attributes.items()}
