"""The section of similar units, from units made by hand."""

import numpy as np
import pytest

from pipeline.contents.parts import UnitLink
from pipeline.contents.writing import SectionDraft
from pipeline.figures.similar_units import add_similar_units
from pipeline.formats.similar_units import SimilarLayer, SimilarUnits
from pipeline.formats.status import not_run

NAN = np.nan
RELU = SimilarLayer(
    "output", np.array([True, True, True, False]),
    np.array([[1, 2], [0, 2], [1, 0], [-1, -1]]),
    np.array([[0.995, 0.25], [0.995, 0.5], [0.5, 0.25], [NAN, NAN]], np.float32),
    np.array([[1, -1], [1, -1], [1, -1], [-1, -1]]), np.array([[0, -1], [0, -1], [0, -1], [-1, -1]]),
    np.array([[0.125, NAN], [-0.5, NAN], [0.25, NAN], [NAN, NAN]], np.float32),
)  # fmt: skip
ALONE = SimilarLayer("input", np.ones(1, bool), np.array([[-1]]), np.array([[NAN]], np.float32))


def test_units_and_layers_say_what_is_near(tmp_path):
    section = SectionDraft("similar_units", tmp_path)
    add_similar_units(section, SimilarUnits(103, {"relu": RELU, "alone": ALONE}), {})
    relu, alone = section.content().layers
    assert relu.unit_related == ("same-layer", "other-layers") and alone.unit_related == ("same-layer",)
    assert relu.units[1].related == (
        (UnitLink("relu", 0, 0.995), UnitLink("relu", 2, 0.5)),
        (UnitLink("alone", 0, -0.5),),
    )
    assert [unit.facts[0] for unit in relu.units] == [pytest.approx(0.995), pytest.approx(0.995), 0.5, None]
    assert [unit.facts[1] for unit in relu.units] == [None, None, None, 103]
    assert relu.facts[0].value == (1, 4) and relu.facts[2].value == (2, 4)
    (unit,) = alone.units
    assert unit.facts == (None, None) and unit.related == ((),)
    assert section.numbers["constant"] == 1 and section.numbers["compared"] == 3


def test_table_and_figure_show_layers_with_neighbours(tmp_path):
    section = SectionDraft("similar_units", tmp_path)
    add_similar_units(section, SimilarUnits(103, {"relu": RELU, "alone": ALONE}), {})
    figure, table = section.blocks
    assert figure.numbers["layers"] == 1 and figure.evidence.n == 103
    # Two others, 103 images: half of the time both of two independent normals stay below 0.5449 / 10.
    assert table.rows[0] == (
        "relu",
        4,
        1,
        *(pytest.approx(one, abs=1e-6) for one in (0.599, 0.995, 0.995)),
        pytest.approx(np.tanh(0.054495), rel=1e-3),
        2,
    )
    assert table.rows[1] == ("alone", 1, 0, None, None, None, None, 0)


def test_no_figure_where_no_layer_has_two_units(tmp_path):
    section = SectionDraft("similar_units", tmp_path)
    add_similar_units(section, SimilarUnits(103, {"alone": ALONE}), {})
    assert [block.kind for block in section.blocks] == ["table"] and "median" not in section.numbers


def test_section_without_data_says_why(tmp_path):
    section = SectionDraft("similar_units", tmp_path)
    add_similar_units(section, not_run("similar_units"), {})
    assert section.content().reason == "params.yaml says similar_units.run: false"


def test_after_the_nearest_come_those_with_pictures(tmp_path):
    """Of nine others, nearest first; the drawn ones are 2, 7, 8 and 9."""
    others = np.array([[other for other in range(10) if other != unit] for unit in range(10)])
    correlation = np.tile(np.linspace(0.9, 0.1, 9, dtype=np.float32), (10, 1))
    layer = SimilarLayer("output", np.ones(10, bool), others, correlation)
    section = SectionDraft("similar_units", tmp_path)
    add_similar_units(section, SimilarUnits(103, {"relu": layer}), {"relu": {2, 7, 8, 9}})
    (part,) = section.content().layers
    assert [link.unit for link in part.units[2].related[0]] == [0, 1, 3, 4, 5, 7, 8, 9]
    # One that is not drawn names the nearest alone.
    assert [link.unit for link in part.units[0].related[0]] == [1, 2, 3, 4, 5]
