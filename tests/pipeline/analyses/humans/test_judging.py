"""People's choices against activations that were made by hand."""

import numpy as np
import pytest

from pipeline.analyses.humans.choices import Choice, Chosen
from pipeline.analyses.humans.judging import judge
from pipeline.formats.activations import open_activations
from pipeline.formats.status import Status
from tests.small.artifacts import WEIGHTS
from tests.small.layers import write_layers

COUNT = 6
PATHS = {f"{row}.png": row for row in range(COUNT)}


@pytest.fixture
def activations(tmp_path):
    first = np.arange(COUNT * 3, dtype=np.float32).reshape(COUNT, 3)
    second = -first
    second[:2] = 0
    return open_activations(write_layers(tmp_path / "activations", {"one": first, "two": second}))


def said(*rows):
    return Chosen([Choice(*row, "file: line 1") for row in rows])


def test_the_activations_decide(activations):
    found = judge(
        said(
            ("ben", "two", 0, "2.png", "5.png", 0, ""),
            ("anna", "one", 1, "0.png", "4.png", 1, ""),
            ("anna", "one", 1, "5.png", "4.png", 1, ""),
            ("anna", "one", 2, "3.png", "4.png", -1, ""),
        ),
        activations,
        PATHS,
        WEIGHTS,
    )
    assert found.layers == ("one", "two") and found.annotators == ("anna", "ben")
    assert found.value.tolist() == [[1, 13], [16, 13], [11, 14], [-6, -15]]
    assert found.right.tolist() == [1, 0, 0.5, 1]
    assert found.scores.share.tolist() == [0.5, 1] and found.whole.share.tolist() == [0.625]
    assert found.counts(0) == {"answers": 3, "annotators": 1, "units": 2, "unsure": 1}
    assert found.counts() == {"answers": 4, "annotators": 2, "units": 3, "unsure": 1}


def test_what_the_run_does_not_have_is_left_out_and_counted(activations):
    found = judge(
        said(
            ("anna", "one", 1, "0.png", "4.png", 1, WEIGHTS[:16]),
            ("anna", "one", 0, "0.png", "4.png", 1, "ffff"),
            ("anna", "three", 1, "0.png", "4.png", 1, ""),
            ("anna", "one", 3, "0.png", "4.png", 1, ""),
            ("anna", "two", 1, "0.png", "1.png", 1, ""),
        ),
        activations,
        PATHS,
        WEIGHTS,
    )
    assert (found.other_network, found.unknown, found.ties) == (1, 2, 1)
    assert found.layers == ("one",) and found.whole.share.tolist() == [1]


def test_nothing_that_counts_is_said_to_be_so(activations):
    found = judge(said(("anna", "three", 1, "0.png", "4.png", 1, "")), activations, PATHS, WEIGHTS)
    assert isinstance(found, Status) and "answer anew" in found.reason
