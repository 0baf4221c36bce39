import numpy as np

from pipeline.figures.drawing.courses import Steps


def test_checkpoints_are_called_by_epochs_where_each_has_one():
    assert Steps(("epoch-0", "epoch-12"), np.array([0, 12])).labels == ["0", "12"]
    assert Steps(("epoch-1", "final"), np.array([1, -1])).labels == ["epoch-1", "final"]
