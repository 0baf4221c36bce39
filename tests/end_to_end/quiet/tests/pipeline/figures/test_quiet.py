import numpy as np

from pipeline.contents.writing import SectionDraft
from pipeline.figures.quiet import add_quiet
from pipeline.formats.quiet import Quiet
from pipeline.formats.status import not_run


def test_section_speaks_of_layers_and_units(tmp_path):
    section = SectionDraft("quiet", tmp_path)
    add_quiet(section, Quiet(0.0, {"relu": np.array([0.25, 0.75])}))
    (layer,) = section.content().layers
    assert layer.facts[0].value == 0.5
    assert [unit.facts for unit in layer.units] == [(0.25,), (0.75,)]


def test_section_without_data_says_why(tmp_path):
    section = SectionDraft("quiet", tmp_path)
    add_quiet(section, not_run("quiet"))
    assert section.content().reason == "params.yaml says quiet.run: false"
