from dataclasses import replace

import numpy as np
import pytest

from pipeline import store
from pipeline.errors import UserError
from pipeline.formats.predictions import (
    VERSION,
    Calibration,
    Confusion,
    Evaluated,
    SplitCounts,
    read_predictions,
    write_predictions,
)

EVALUATED = Evaluated(
    image_id=np.array([0, 1, 3]),
    predicted=np.array([1, 0, 1], np.int32),
    probability=np.array([0.9, 0.5, 0.6], np.float32),
    label=np.array([1, 1, -1], np.int32),
    label_rank=np.array([0, 1, -1], np.int32),
    log_loss=np.array([0.1, 0.7, np.nan], np.float32),
    leading=np.array([[1, 0], [0, 1], [1, 0]], np.int32),
    leading_probability=np.array([[0.9, 0.1], [0.5, 0.5], [0.6, 0.4]], np.float32),
    confusion=Confusion(np.array([1, 1], np.int32), np.array([0, 1], np.int32), np.array([1, 1])),
    calibration=Calibration(
        np.array([np.nan, 0.7]),
        np.array([np.nan, 0.5]),
        np.array([0, 2]),
        np.array([0, 0.5]),
        np.array([0.5, 1]),
    ),
    splits=SplitCounts(
        ("test", "train"), np.array([1, 2]), np.array([1, 1]), np.array([1, 0]), np.array([1, 1])
    ),
    class_output=np.array([1, -1], np.int32),
    output_name=("zwart", "één"),
    held_out="test",
    basis="declared",
)


def test_what_is_written_is_read_back(tmp_path):
    write_predictions(tmp_path / "predictions.h5", EVALUATED, made_from={"weights": "00"})
    found = read_predictions(tmp_path / "predictions.h5")
    parts = ("confusion", "calibration", "splits")
    pairs = [(found, EVALUATED), *((getattr(found, name), getattr(EVALUATED, name)) for name in parts)]
    for part, expected in pairs:
        for name, values in vars(expected).items():
            if isinstance(values, np.ndarray):
                assert getattr(part, name).dtype == values.dtype
                np.testing.assert_array_equal(getattr(part, name), values)
    assert found.splits.name == ("test", "train")
    assert (found.output_name, found.held_out, found.basis) == (EVALUATED.output_name, "test", "declared")


def test_an_unknown_basis_is_refused(tmp_path):
    write_predictions(tmp_path / "predictions.h5", replace(EVALUATED, basis="rumour"), made_from={})
    with pytest.raises(UserError, match="basis 'rumour' is not known"):
        read_predictions(tmp_path / "predictions.h5")


def test_another_version_is_refused(tmp_path):
    with store.write(tmp_path / "predictions.h5", stage="predictions", version=VERSION + 1):
        pass
    with pytest.raises(UserError, match="run its stage again"):
        read_predictions(tmp_path / "predictions.h5")
