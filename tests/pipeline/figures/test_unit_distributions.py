import csv

import numpy as np
import pytest
from PIL import Image

from pipeline.figures import unit_distributions
from pipeline.figures.unit_distributions import Distribution
from tests.small.pages import title_of

VALUES = {"relu": np.array([0.0, 0.31, 0.31, 1.0]), "pool": np.array([0.5])}


def drawn(folder, values=VALUES, beside=None):
    return Distribution("zeros", "outputs that are zero, %", values, beside or {}).figure(folder, {"x": 1})


def test_the_file_counts_the_units_of_each_layer(tmp_path):
    figure = drawn(tmp_path, beside={"relu": 0.2})
    with (tmp_path / figure.data).open(newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["units"] != "0"]
    assert [(line["layer"], float(line["from"]), int(line["units"])) for line in lines] == [
        ("relu", 0.0, 1), ("relu", 0.3, 2), ("relu", 0.98, 1), ("pool", 0.5, 1)
    ]  # fmt: skip
    assert figure.evidence.n == 5
    assert figure.numbers == {"rows": 2, "rows_of": 2, "x": 1}


def test_a_cell_is_the_darker_the_more_units_it_has(tmp_path):
    """Of the first row: dark at 31 %, lighter at 0 and 100 %, empty elsewhere; the median's mark left out."""
    figure = drawn(tmp_path, values={"relu": np.array([0.05, 0.55, 0.55, 0.85])})
    alpha = np.asarray(Image.open(tmp_path / figure.image).getchannel("A"), int)
    line = alpha[alpha.shape[0] // 3]
    assert len(np.unique(line)) >= 3 and (line == 0).any()


def test_of_many_layers_some_have_a_row(tmp_path, monkeypatch):
    monkeypatch.setattr(unit_distributions, "MOST_ROWS", 3)
    figure = drawn(tmp_path, values={f"layer{number}": np.array([0.5]) for number in range(9)})
    assert (figure.numbers["rows"], figure.numbers["rows_of"]) == (3, 9)
    assert (tmp_path / figure.data).read_text().count("layer8") == unit_distributions.BINS


def test_its_middles_are_medians_over_units_and_of_the_layers_at_the_ends():
    found = Distribution("zeros", "", {"relu": np.array([0.1, 0.2, 0.9]), "pool": np.array([0.5])}, {})
    assert found.middles() == {
        "median": 0.35, "least": "relu", "least_value": 0.2, "most": "pool", "most_value": 0.5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("section", "name", "title", "of_one"),
    [
        (
            "outlines", "above",
            "Area above a unit’s level: from 20.0 % of its strongest images in relu to 50.0 % in pool",
            "Area above a unit’s level: 20.0 % of its strongest images in the median",
        ),
        (
            "top_labels", "leading",
            "One class has from 20.0 % of a unit’s strongest images in relu to 50.0 % in pool",
            "In the median one class has 20.0 % of a unit’s strongest images",
        ),
    ],
)  # fmt: skip
def test_titles_compare_layers_where_there_are_several(section, name, title, of_one):
    values = {"relu": np.array([0.1, 0.2, 0.9]), "pool": np.array([0.5])}
    assert title_of(section, name, Distribution(name, "", values, {}).middles()) == title
    del values["pool"]
    assert title_of(section, name, Distribution(name, "", values, {}).middles()) == of_one
