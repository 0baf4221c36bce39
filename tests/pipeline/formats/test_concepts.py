import dataclasses

import numpy as np
import pytest

from pipeline.formats.concepts import VERSION, About, LayerConcepts, open_concepts, write_concepts
from pipeline.formats.status import not_run, write_status

RNG = np.random.default_rng(0)
ABOUT = About(
    ("conv", "fc"), 50, ("rayé", "red"), np.array([9, 12]), ("cat", "dog", "owl"), np.array([3, 5, 9]),
    np.array([30, 30, 7]),
)  # fmt: skip
LAYERS = {
    name: LayerConcepts(
        RNG.random((2, 4), np.float32), RNG.random((2, 5)), RNG.random((2, 5, 3)), RNG.random(5),
        RNG.random((5, 3)), np.array([[0.5, np.nan, 0.01], [1, 0, 0.25]]), RNG.random((2, 3)),
        RNG.random((5, 3)), RNG.random((2, 3)),
    )
    for name in ABOUT.layers
}  # fmt: skip


def test_concepts_are_read_back(tmp_path):
    write_concepts(tmp_path / "concepts.h5", ABOUT, LAYERS, made_from={"manifest": "00"})
    with open_concepts(tmp_path / "concepts.h5") as found:
        for one, other in [(found.about, ABOUT), *((found.layer(name), LAYERS[name]) for name in LAYERS)]:
            for field in dataclasses.fields(other):
                np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))


@pytest.mark.parametrize("status", [not_run("concepts")])
def test_a_status_comes_back(tmp_path, status):
    write_status(tmp_path / "concepts.h5", status, stage="concepts", version=VERSION)
    with open_concepts(tmp_path / "concepts.h5") as found:
        assert found == status
