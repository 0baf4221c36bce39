import numpy as np
import pytest

from pipeline.numerics.windows import mean_over_windows, window_starts


@pytest.mark.parametrize(
    ("length", "window", "stride", "expected"),
    [(8, 2, 2, [0, 2, 4, 6]), (8, 4, 2, [0, 2, 4]), (8, 8, 3, [0]), (8, 3, 4, [0, 2, 5]), (5, 5, 1, [0])],
)
def test_windows_lie_whole_from_edge_to_edge(length, window, stride, expected):
    starts = window_starts(length, window, stride)
    assert starts.tolist() == expected
    assert len(starts) == -(-(length - window) // stride) + 1


@pytest.mark.parametrize(
    ("length", "window", "stride"), [(224, 28, 14), (227, 30, 7), (31, 6, 5), (64, 1, 3)]
)
def test_steps_are_no_longer_than_asked_for(length, window, stride):
    starts = window_starts(length, window, stride)
    assert starts[0] == 0 and starts[-1] == length - window
    assert np.diff(starts).min() >= 1 and np.diff(starts).max() <= stride


def test_window_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="window must be from 1 to 4, got 5"):
        window_starts(4, 5, 1)


def test_a_pixel_has_the_mean_of_the_windows_on_it():
    values = np.random.default_rng(0).random((3, 2))
    y, x, window = window_starts(7, 3, 2), window_starts(5, 3, 2), 3
    found = mean_over_windows(values, y, x, window)
    for row, column in np.ndindex(7, 5):
        on = [
            values[i, j]
            for i, j in np.ndindex(3, 2)
            if y[i] <= row < y[i] + window and x[j] <= column < x[j] + window
        ]
        assert found[row, column] == pytest.approx(np.mean(on))


def test_where_no_window_lies_there_is_nothing():
    found = mean_over_windows(np.ones((2, 1)), np.array([0, 3]), np.array([0]), 1)
    assert np.isnan(found[1:3]).all() and found[0, 0] == found[3, 0] == 1
