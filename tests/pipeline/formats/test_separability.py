import numpy as np
import pytest

from pipeline.formats.separability import (
    VERSION,
    LayerProbe,
    ProbeSample,
    Separability,
    read_separability,
    write_separability,
)
from pipeline.formats.status import not_run, write_status

RNG = np.random.default_rng(0)
SAMPLE = ProbeSample(
    np.array([0, 2, 3]),
    np.array([1, 5]),
    np.array([0, 1]),
    np.array([1, -1], np.int8),
    np.array([2, 7]),
    True,
)


def probes(*kinds):
    return {
        ("relu", kind): LayerProbe(RNG.random((2, 4)), RNG.random(2), 0.1, kind == "mean", np.array([0, 1]))
        for kind in kinds
    }


@pytest.mark.parametrize(("kinds", "initial"), [(("mean", "maxima"), True), (("maxima",), False)])
def test_probes_come_back(tmp_path, kinds, initial):
    given = Separability(("relu",), kinds, SAMPLE, probes(*kinds), probes(*kinds) if initial else {})
    write_separability(tmp_path / "x.h5", given, made_from={})
    found = read_separability(tmp_path / "x.h5")
    assert (found.layers, found.kinds) == (given.layers, given.kinds)
    for name, value in vars(SAMPLE).items():
        np.testing.assert_array_equal(getattr(found.sample, name), value)
    for mine, theirs in ((given.probes, found.probes), (given.initial, found.initial)):
        assert mine.keys() == theirs.keys()
        for key, probe in mine.items():
            for name, value in vars(probe).items():
                np.testing.assert_array_equal(getattr(theirs[key], name), value)


def test_a_status_comes_back(tmp_path):
    write_status(tmp_path / "x.h5", not_run("separability"), stage="separability", version=VERSION)
    assert read_separability(tmp_path / "x.h5") == not_run("separability")
