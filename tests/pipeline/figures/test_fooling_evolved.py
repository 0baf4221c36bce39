from dataclasses import replace

import numpy as np
import pytest

from pipeline.contents.writing import SectionDraft
from pipeline.figures.fooling_evolved import add_evolved
from tests.small.fooling import FOUND
from tests.small.pages import title_of

NAMES = ["cat", "dog", "owl"]


def drawn(folder, found=FOUND):
    section = SectionDraft("fooling", folder)
    add_evolved(section, found, NAMES)
    assert all((folder / name).is_file() for name in section.content().files)
    return section.content().blocks


def title(figure):
    return title_of("fooling", figure.caption, {"wanted": 0.9, **figure.numbers})


def test_where_no_drawing_convinces_the_network_it_is_said(tmp_path):
    weak = {name: replace(one, confidence=one.confidence / 9) for name, one in FOUND.evolved.items()}
    evolved, *_ = drawn(tmp_path, replace(FOUND, evolved=weak))
    assert title(evolved) == "Evolved without any slope, none of 2 drawings reaches 90 %"


def rows(folder, name):
    return [line.split(",") for line in (folder / name).read_text(encoding="utf-8").splitlines()[1:]]


def test_numbers_are_those_of_the_elites(tmp_path):
    evolved, course, elites = drawn(tmp_path)
    numbers = evolved.numbers
    assert (numbers["direct_reached"], numbers["cppn_reached"], numbers["elites"]) == (0, 1, 2)
    assert numbers["cppn_median"] == pytest.approx((0.95 + 0.5) / 2)
    assert (numbers["generations"], numbers["offspring"]) == (4, 7)
    assert (numbers["ascent_reached"], numbers["ascent_made"]) == (3, 4)
    assert course.data == "course.csv" and evolved.evidence.n == 4
    assert title(course) == "Median confidence in the end: 72.5 % drawn, 65.2 % pixel by pixel"
    assert title(evolved) == "Evolved without any slope, 1 of 2 drawings reaches 90 %"
    first, second = (one.numbers for one in elites.figures)
    assert (first["encoding"], first["reached"], second["reached"], second["made"]) == ("direct", 0, 1, 2)


def test_files_have_every_elite_and_the_course(tmp_path):
    drawn(tmp_path)
    lines = rows(tmp_path, "evolved.csv")
    assert [line[:4] for line in lines[2:]] == [["cppn", "cat", "4", "cat"], ["cppn", "owl", "0", "dog"]]
    course = rows(tmp_path, "course.csv")
    assert [line[1] for line in course[:3]] == ["0", "2", "4"]
    assert float(course[4][4]) == pytest.approx(0.7, rel=1e-5)


def test_of_many_elites_some_are_drawn(tmp_path):
    many = {
        name: replace(
            one, target=np.resize(one.target, 30), picture=np.resize(one.picture, (30, 8, 8, 3)),
            since=np.arange(30), predicted=np.resize(one.predicted, 30),
            confidence=np.resize(one.confidence, 30), course=np.resize(one.course, (3, 30)),
        )
        for name, one in FOUND.evolved.items()
    }  # fmt: skip
    *_, elites = drawn(tmp_path, replace(FOUND, evolved=many))
    assert [(one.numbers["drawn"], one.numbers["made"]) for one in elites.figures] == [(12, 30)] * 2
    assert len(rows(tmp_path, "evolved.csv")) == 60


def test_nothing_is_said_where_nothing_was_evolved(tmp_path):
    assert drawn(tmp_path, replace(FOUND, evolved={})) == ()
