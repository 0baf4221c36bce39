from dataclasses import replace

import numpy as np

from pipeline.contents.writing import SectionDraft
from pipeline.figures.excited_units import add_excited_units
from pipeline.formats.excited_units import ExcitedUnits
from pipeline.formats.status import not_run
from tests.small.probes import PROBES

# Of images 2, 5 and 9; of the probes 7 is not among them.
FOUND = ExcitedUnits(
    ("relu", "pool"), 40, 5, np.array([2, 5, 9]), layer=np.array([[0, 1], [1, -1], [0, 1]]),
    unit=np.array([[3, 0], [2, -1], [4, 1]]), rank=np.array([[1, 8], [6, -1], [2, 2]]),
    value=np.array([[2.5, 0.5], [1, np.nan], [3, 3]], np.float32),
)  # fmt: skip
PATHS = ["b/2.png", "c/5.png", "d/9.png"]


def test_every_image_has_its_units_and_the_probes_stand_in_the_table(tmp_path):
    section = SectionDraft("excited_units", tmp_path)
    add_excited_units(section, FOUND, PATHS, PROBES)
    content = section.content()
    assert content.image_units.units == {
        "b/2.png": (0, 3, 1, 1, 0, 8), "c/5.png": (1, 2, 6), "d/9.png": (0, 4, 2, 1, 1, 2)
    }  # fmt: skip
    figure, table = content.blocks
    assert table.rows == (
        ("b/2.png", "relu/3", 2.5, (1, 40)), ("b/2.png", "pool/0", 0.5, (8, 40)),
        ("c/5.png", "pool/2", 1.0, (6, 40)),
    )  # fmt: skip
    assert table.evidence.n == 2
    assert (tmp_path / "ranks.csv").read_text().split()[1:] == ["1,1", "2,1", "6,1"]
    assert figure.evidence.n == 3
    assert (content.numbers["first"], content.numbers["median"]) == (1, 2)


def test_images_that_all_stand_equally_high_have_no_curve(tmp_path):
    section = SectionDraft("excited_units", tmp_path)
    add_excited_units(section, replace(FOUND, rank=np.array([[1, 8], [1, -1], [1, 2]])), PATHS, PROBES)
    assert [block.id for block in section.content().blocks] == ["probes"]


def test_without_probes_images_have_their_units_all_the_same(tmp_path):
    section = SectionDraft("excited_units", tmp_path)
    add_excited_units(section, FOUND, PATHS, not_run("probes"))
    content = section.content()
    assert len(content.image_units.units) == 3 and [block.id for block in content.blocks] == ["ranks"]


def test_left_out_it_says_why(tmp_path):
    section = SectionDraft("excited_units", tmp_path)
    add_excited_units(section, not_run("excited_units"), [], PROBES)
    assert section.content().reason == "params.yaml says excited_units.run: false"
