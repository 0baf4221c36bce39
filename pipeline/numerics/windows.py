"""Square windows that are laid over a picture from edge to edge, and what they say of its pixels."""

import numpy as np
from numpy.typing import NDArray


def window_starts(length: int, window: int, stride: int) -> NDArray[np.int64]:
    """Return where windows begin along a side, so that the first and the last lie at its ends.

    Parameters
    ----------
    length
        Of the side, pixels.
    window
        Side of a window, 1 to `length`.
    stride
        Most pixels from one window to the next, 1 or more. Where it does not divide what is left, steps are
        a little shorter: every window is whole, and the picture is covered as far as its edges.

    Returns
    -------
    (n,) int64
        Ascending, n = ⌈(length − window) / stride⌉ + 1.
    """
    if not 1 <= window <= length:
        raise ValueError(f"window must be from 1 to {length}, got {window}")
    count = -(-(length - window) // stride) + 1
    return np.linspace(0, length - window, count).round().astype(np.int64)


def mean_over_windows(
    values: NDArray[np.floating], y: NDArray[np.int64], x: NDArray[np.int64], window: int
) -> NDArray[np.float64]:
    """Return for each pixel the mean value of the windows that cover it.

    Parameters
    ----------
    values : (ny, nx)
        A number for each window.
    y, x
        (ny,) and (nx,), where windows begin, of `window_starts`.
    window
        Side of a window, pixels.

    Returns
    -------
    (H, W) float64
        NaN where no window lies, as between windows that are further apart than they are long.
    """
    height, width = int(y[-1]) + window, int(x[-1]) + window
    down, across = _covered(y, window, height), _covered(x, window, width)
    with np.errstate(invalid="ignore"):
        return (down @ values.astype(np.float64) @ across.T) / np.outer(down.sum(1), across.sum(1))


def _covered(starts: NDArray[np.int64], window: int, length: int) -> NDArray[np.float64]:
    """(length, n), 1 where a window lies on a pixel of the side."""
    place = np.arange(length)[:, None] - starts
    return ((place >= 0) & (place < window)).astype(np.float64)
