import csv

import numpy as np
import pytest

from pipeline.contents.writing import SectionDraft
from pipeline.figures.concepts import add_concepts
from pipeline.formats.concepts import About, LayerConcepts, open_concepts, write_concepts
from pipeline.formats.status import not_run
from tests.small.pages import title_of

ABOUT = About(
    ("conv",), 50, ("red", "striped"), np.array([9, 12]), ("cat", "dog"), np.array([3, 5]), np.array([30, 7])
)
LAYER = LayerConcepts(
    np.eye(2, dtype=np.float32), np.full((2, 4), 0.9), np.tile(np.float64([[1, 0.5]]), (2, 4, 1)),
    np.full(4, 0.5), np.tile(np.float64([[0.25, 0.5]]), (4, 1)), np.array([[1e-9, np.nan], [1e-9, 0.9]]),
    np.ones((2, 2)), np.arange(8.0).reshape(4, 2), np.array([[0.001, np.nan], [0.02, 0.9]]),
)  # fmt: skip


@pytest.fixture
def section(tmp_path):
    write_concepts(tmp_path / "concepts.h5", ABOUT, {"conv": LAYER}, made_from={})
    section = SectionDraft("concepts", tmp_path)
    with open_concepts(tmp_path / "concepts.h5") as found:
        add_concepts(section, found)
    return section


def test_only_what_is_clear_after_correction_is_counted(section):
    # Three tests; 0.02 is not below 0.05 / 3.
    assert (section.numbers["tests"], section.numbers["clear"]) == (3, 1)
    assert section.layers[0].facts[0].value == (1, 4)


def test_accuracies_and_scores_are_listed(section):
    table, figure = section.blocks
    assert table.rows == (("conv", "red", 9, 0.9, 0.5), ("conv", "striped", 12, 0.9, 0.5))
    assert (figure.numbers["shown"], figure.numbers["of"]) == (4, 4)
    title = "conv: 1 of 3 slopes is clearly unlike those of random images"
    assert title_of("concepts", "scores", figure.numbers) == title
    assert title_of("concepts", "scores", {**figure.numbers, "clear": 0}) == title.replace("1 of", "none of")
    with (section.folder / figure.data).open() as file:
        rows = list(csv.DictReader(file))
    columns = ("concept", "output", "score", "random_score", "slope_p_value")
    assert [tuple(row[name] for name in columns) for row in rows] == [
        ("red", "cat", "1", "0.25", "0.001"), ("red", "dog", "0.5", "0.5", ""),
        ("striped", "cat", "1", "0.25", "0.02"), ("striped", "dog", "0.5", "0.5", "0.9"),
    ]  # fmt: skip
    assert (section.folder / figure.vector).is_file()


def test_what_was_not_done_says_why(tmp_path):
    section = SectionDraft("concepts", tmp_path)
    add_concepts(section, not_run("concepts"))
    assert (section.status, section.blocks) == (not_run("concepts"), [])
