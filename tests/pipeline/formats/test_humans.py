from dataclasses import fields

import numpy as np
import pytest

from pipeline.formats.humans import People, read_people, write_humans
from pipeline.formats.status import not_run
from tests.small.humans import humans


@pytest.mark.parametrize("doubt", [True, False])
def test_what_people_say_comes_back(tmp_path, doubt):
    given = humans(tabled=(False, True), doubt=doubt)
    write_humans(tmp_path / "humans.h5", People(given, not_run("humans")), made_from={})
    found = read_people(tmp_path / "humans.h5").humans
    assert (found.raters.name, found.conditions) == (given.raters.name, given.conditions)
    assert (found.unknown, found.unlabelled, found.raters.left_out) == (0, 0, 0)
    for group in ("raters", "answers", "network", "compared", "consistency", *(["doubt"] if doubt else [])):
        one, other = getattr(given, group), getattr(found, group)
        for part in fields(one):
            before, after = getattr(one, part.name), getattr(other, part.name)
            np.testing.assert_array_equal(before, after)
            assert not isinstance(before, np.ndarray) or before.dtype == after.dtype, part.name
    assert (found.doubt is None) == (not doubt)


def test_a_status_comes_back(tmp_path):
    write_humans(tmp_path / "humans.h5", People(not_run("humans"), not_run("humans")), made_from={})
    assert read_people(tmp_path / "humans.h5").humans == not_run("humans")
