import csv

import numpy as np
import pytest
from PIL import Image

from pipeline.contents.writing import SectionDraft
from pipeline.figures.directions import add_directions, shown_images
from pipeline.figures.winners import Names
from pipeline.formats.directions import (
    About,
    Compared,
    DirectedLayer,
    Kind,
    Rotations,
    new_directions,
    open_directions,
)  # fmt: skip
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.patches import Patches
from pipeline.formats.status import not_run
from pipeline.numerics.geometry import whole
from pipeline.report.captions import read_caption
from pipeline.report.wording import line, prose

K, SIDE = 3, 64
LAYER = LayerGeometry((1, 1), whole((8, 8), "global"))
NAMES = Names({number: f"a/{number}.png" for number in range(9)}, dict.fromkeys(range(9), "a"))


def kind(names, value, place, shown, **more):
    count = len(names)
    ids = (np.arange(count)[:, None] + np.arange(4)) % 9
    return Kind(
        names, np.tile(np.float32(value), (count, 1)), ids, np.zeros((count, 4, 2), np.uint16),
        np.zeros((count, 4, 4), np.float32), np.zeros((count, 4), bool), np.full(count, 2),
        np.linspace(0.25, 1, count), np.array(shown), np.array(place), **more,
    )  # fmt: skip


UNITS = kind(("unit 0", "unit 1"), [3, 2, 0, 0], [[0, 1, -1]], [1])
RANDOM = kind(
    ("random 1", "random 2", "random 3"), [0.5, -1, -2, -4], [[0, 2, 3], [0, 1, 2]], [0, 1],
    direction=np.zeros((3, 2), np.float32),
)  # fmt: skip


def write(path, *, classes=2, reason=""):
    compared = {"random": Compared(2, 3, 0.6, 0.5, 0.25, 0.004)} if classes else {}
    rotations = Rotations(
        ("a", "b"), ("relu", ""), ("b", "c"), np.array([0.5, np.nan]), np.array([1e-7, 2e-7]),
        np.array([4, 9]), 12, 7,
    )  # fmt: skip
    if reason:
        none = np.empty(0)
        rotations = Rotations((), (), (), none, none, none.astype(np.int64), 12, 0, reason)
    with new_directions(path, About(("fc",), 9, K, 1, classes, SIDE, (8, 8)), made_from={}) as writer:
        writer.put_layer("fc", DirectedLayer(LAYER, 2, "output", "maxima", compared))
        for name, one in {"unit": UNITS, "random": RANDOM}.items():
            shades = np.arange(one.place.size).reshape(one.place.shape) * 10 + 100
            pixels = np.broadcast_to(shades[..., None, None, None], (*one.place.shape, SIDE, SIDE, 3))
            writer.put_kind(
                "fc", name, one,
                Patches(
                    pixels.astype(np.uint8), np.ones(pixels.shape[:-1], np.uint8),
                    np.ones(one.place.shape, np.float32),
                ),
            )  # fmt: skip
        writer.put_rotations(rotations)
    return path


def draw(path, folder):
    folder.mkdir()
    section = SectionDraft("directions", folder)
    with open_directions(path) as found:
        add_directions(section, found, NAMES)
    return section


@pytest.fixture
def section(tmp_path):
    return draw(write(tmp_path / "d.h5"), tmp_path / "section")


def test_kinds_stand_side_by_side_each_with_its_patches(section):
    many = next(block for block in section.blocks if block.kind == "multiples")
    assert many.wide
    assert [one.id for one in many.figures] == ["unit-fc", "random-fc"]
    for one in many.figures:
        with Image.open(section.folder / one.image) as image:
            assert image.size == (one.width, one.height)
        text = (section.folder / one.vector).read_text()
        assert text.count("<image") == (3 if one.id == "unit-fc" else 6)
    assert "random 2" in text and "-4.00" in text and "never active" not in text
    assert [one.numbers["negative"] for one in many.figures] == [0, 1]
    with (section.folder / many.figures[0].data).open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["kind"], row["name"], row["rank"], float(row["value"])) for row in rows] == [
        ("unit", "unit 1", "1", 3), ("unit", "unit 1", "2", 2),
        ("random", "random 1", "1", 0.5), ("random", "random 1", "2", -2), ("random", "random 1", "3", -4),
        ("random", "random 2", "1", 0.5), ("random", "random 2", "2", -1), ("random", "random 2", "3", -2),
    ]  # fmt: skip
    assert rows[0]["path"] == "a/1.png"


def test_purity_is_drawn_with_its_numbers(section):
    figure = next(block for block in section.blocks if getattr(block, "id", "") == "purity")
    assert figure.numbers["n_unit"] == 2
    assert (figure.numbers["effect_random"], figure.numbers["p_random"]) == (0.25, 0.004)
    assert figure.evidence.n == 5
    with (section.folder / figure.data).open() as file:
        assert [float(row["purity"]) for row in csv.DictReader(file)] == [0.25, 1, 0.25, 0.625, 1]
    table = next(block for block in section.blocks if getattr(block, "id", "") == "comparison")
    assert table.rows == (("fc", "random directions", 2, 0.6, 3, 0.5, 0.25, 0.004),)
    assert section.numbers["random_purer"] == 1
    assert section.layers[0].facts[0].value == 0.25


@pytest.mark.parametrize(
    ("compared", "purer", "less", "said"),
    [
        (1, 1, 0, "In the one layer that was compared units are purer in class"),
        (1, 0, 0, "In the one layer that was compared units are not clearly purer in class"),
        (1, 0, 1, "In the one layer that was compared units are less pure in class"),
        (3, 0, 2, "purer in class than random directions in none of 3 layers, less pure in 2 (p"),
    ],
)
def test_the_finding_counts_layers(compared, purer, less, said):
    numbers = {"random_compared": compared, "random_purer": purer, "random_less": less}
    finding = line(read_caption("directions").words, "finding", numbers).replace("\u00a0", " ")
    assert said in finding and finding.endswith("(permutation test, p < 0.05).")


def test_the_purity_of_labels_of_which_no_two_are_the_same_is_said(tmp_path):
    section = draw(write(tmp_path / "d.h5", classes=9), tmp_path / "section")
    # Three labels of nine: 1 - log 3 / log 9.
    assert section.numbers["k"] == 3 and section.numbers["lowest_purity"] == pytest.approx(0.5)
    words = prose(read_caption("directions").words, section.numbers)
    assert "and\n0.50 where no two have the same." in words


def test_rotations_are_listed_with_what_is_not_known_left_out(section):
    table = next(block for block in section.blocks if getattr(block, "id", "") == "rotation")
    assert table.rows == (("a", "relu", "b", 4, 0.5, 1e-7), ("b", None, "c", 9, None, 2e-7))
    assert table.numbers["kept_least"] == table.numbers["kept_most"] == 0.5
    assert table.numbers["taken_out_most"] == 2e-7


def test_without_labels_or_pairs_it_says_so(tmp_path):
    section = draw(write(tmp_path / "d.h5", classes=0, reason="there are none"), tmp_path / "section")
    assert [block.kind for block in section.blocks] == ["multiples", "notice"]
    assert section.blocks[1].numbers == {"reason": "there are none"}
    assert section.numbers["compared"] == 0


def test_the_images_that_are_shown_are_named(tmp_path):
    with open_directions(write(tmp_path / "d.h5")) as found:
        assert shown_images(found).tolist() == [0, 1, 2, 3]


def test_what_was_not_done_says_why(tmp_path):
    section = SectionDraft("directions", tmp_path)
    add_directions(section, not_run("directions"), NAMES)
    assert section.status == not_run("directions")
    assert not section.blocks
