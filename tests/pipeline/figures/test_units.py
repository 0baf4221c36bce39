"""What the section of units says, of units written by hand."""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from pipeline.contents.writing import SectionDraft
from pipeline.figures.units import add_units
from pipeline.formats.status import not_run
from pipeline.formats.units import About, open_units, write_units
from pipeline.report.captions import read_caption
from pipeline.report.wording import line, prose
from tests.small.pages import title_of
from tests.small.units import RELU, SIGMOID

ABOUT = About(("relu", "gate"), 8, 7, 2, "float32", "means", (0.25, 0.5), 0.2, 0.5)
WORDS = read_caption("units")


@contextmanager
def written(folder, about=ABOUT, layers=(RELU, SIGMOID)):
    write_units(folder / "units.h5", about, layers, made_from={})
    with open_units(folder / "units.h5") as units:
        yield units


def drawn(folder, about=ABOUT, layers=(RELU, SIGMOID), listed=100):
    section = SectionDraft("units", folder)
    with written(folder, about, layers) as units:
        add_units(section, units, ("cat", "dog"), listed=listed)
    return section.content()


def said(content):
    """Return all that the section says, in one line."""
    texts = [prose(WORDS.words, content.numbers), line(WORDS.words, "finding", content.numbers)]
    texts += [
        prose(WORDS.part(block.caption), {**content.numbers, **block.numbers}) for block in content.blocks
    ]
    return " ".join(" ".join(texts).replace("\xa0", " ").split())


def table(content, name):
    return next((block.rows for block in content.blocks if getattr(block, "id", "") == name), None)


def test_a_dead_unit_is_listed_with_its_evidence(tmp_path):
    content = drawn(tmp_path)
    assert table(content, "dead") == (("relu/0", 8, 32, -0.5),)
    assert table(content, "nearly-dead") == (("relu/1", (1, 8), 31 / 32, 2.0),)
    assert table(content, "saturated") == (("gate/2", "sigmoid", (6, 8), (0, 8)),)


def test_lists_are_cut_and_say_so(tmp_path):
    layers = [replace(RELU, dead=RELU.dead | True), SIGMOID]
    content = drawn(tmp_path, layers=layers, listed=2)
    assert len(table(content, "dead")) == 2
    assert "The first 2 of 3 units that put out nothing but zeros" in said(content)


def test_units_have_facts_and_histograms(tmp_path):
    relu, gate = drawn(tmp_path).layers
    assert relu.units[0].facts == ("dead", 1.0, None, None, 0.0, -0.5, None)
    assert relu.units[2].facts == (None, 0.5, 0.25, "cat", 2.0, 4.0, None)
    assert gate.units[2].facts == ("saturated", 0.0, 0.25, "cat", 2.0, 9.0, (6, 8))
    assert relu.units[1].histogram.counts == (7, 0, 1)
    assert (tmp_path / relu.data).read_text().count("\n") == 4


def test_what_has_no_meaning_is_not_said(tmp_path):
    text = said(drawn(tmp_path))
    assert "In 1 layer of 2 of activation functions fewer than one output in a thousand is zero" in text
    assert "<strong>Saturated.</strong>" in text and "1 saturated" in text
    text = said(drawn(tmp_path, about=replace(ABOUT, layers=("relu",)), layers=(RELU,)))
    assert "rest at zero, as a ReLU does" not in text and "Saturated" not in text
    text = said(drawn(tmp_path, about=replace(ABOUT, layers=("gate",)), layers=(SIGMOID,)))
    assert "In the one layer of an activation function no more than one output in a thousand is zero" in text


def test_titles_compare_layers_that_differ_alone(tmp_path):
    def compared(layers):
        content = drawn(tmp_path, layers=layers)
        return [
            "most" in block.numbers for block in content.blocks if block.caption in ("zeros", "selectivities")
        ]

    # Both are as selective; a gate rests at zero nowhere.
    assert compared((RELU, SIGMOID)) == [True, False]
    assert compared((SIGMOID, SIGMOID)) == [False, False]


def test_selectivity_stands_beside_what_chance_gives():
    numbers = {"least": "conv", "least_value": 0.35, "most": "fc", "most_value": 0.81}
    beside = {"least_by_chance": 0.36, "most_by_chance": 0.8}
    assert (
        title_of("units", "selectivities", numbers | beside)
        == "Class selectivity from 0.35 in conv (0.36 by chance) to 0.81 in fc (0.80)"
    )
    assert title_of("units", "selectivities", numbers) == "Class selectivity from 0.35 in conv to 0.81 in fc"


def test_the_figure_knows_what_chance_gives_in_the_layers_of_its_title(tmp_path):
    other = replace(RELU, selectivity=RELU.selectivity / 4)
    content = drawn(tmp_path, replace(ABOUT, layers=("relu", "gate")), (RELU, other))
    (figure,) = (block for block in content.blocks if block.caption == "selectivities")
    by_chance = np.nanmedian(RELU.selectivity_by_chance)
    assert figure.numbers["least"] == "gate" and figure.numbers["most"] == "relu"
    assert figure.numbers["least_by_chance"] == figure.numbers["most_by_chance"] == pytest.approx(by_chance)


@pytest.mark.parametrize(
    ("part", "numbers", "title"),
    [
        ("zeros", {"apoz": 0.5, "layers_rare": 0}, "functions put out zero 50.0 % of the time"),
        ("zeros", {"apoz": 0.0, "layers_rare": 1}, "no more than one output in a thousand is zero"),
        ("zeros", {}, "How many outputs are zero"),
        ("selectivities", {"median": 0.25}, "In the median units have a class selectivity of 0.25"),
    ],
)  # fmt: skip
def test_where_layers_are_not_told_apart_titles_say_what_holds_of_all(part, numbers, title):
    assert title_of("units", part, {"layers_active": 1, **numbers}).endswith(title)


@pytest.mark.parametrize(
    ("labelled", "classes", "words"),
    [(0, 0, "Without labels"), (8, 1, "of one class"), (8, 8, "a single image")],
)
def test_without_classes_there_is_no_selectivity(tmp_path, labelled, classes, words):
    none = {"selectivity": None, "selectivity_by_chance": None, "label": None}
    layers = [replace(layer, **none) for layer in (RELU, SIGMOID)]
    content = drawn(tmp_path, replace(ABOUT, labelled=labelled, classes=classes), layers)
    assert words in said(content)
    assert content.layers[0].units[1].facts[2:4] == (None, None)


def test_without_statistics_zeros_are_not_known(tmp_path):
    none = {"apoz": None, "outputs": None, "largest_before": None}
    content = drawn(tmp_path, layers=[replace(layer, **none) for layer in (RELU, SIGMOID)])
    text = said(content)
    assert "whether others were below zero is not known" in text and "were not counted" in text
    assert table(content, "dead") == (("relu/0", 8, None, None),)


def test_section_without_data_says_why(tmp_path):
    section = SectionDraft("units", tmp_path)
    add_units(section, not_run("units"), (), listed=1)
    assert section.content().reason == "params.yaml says units.run: false"


def test_what_is_known_of_no_layer_has_no_column(tmp_path):
    one = replace(ABOUT, layers=("relu",))
    content = drawn(tmp_path, one, layers=(replace(RELU, selectivity=None, selectivity_by_chance=None),))
    (columns,) = (block.columns for block in content.blocks if getattr(block, "id", "") == "layers")
    assert [column.name for column in columns] == ["layer", "units", "apoz", "dead", "nearly_dead"]
