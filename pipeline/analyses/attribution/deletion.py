"""Deletion and insertion (Petsiuk, Das & Saenko, BMVC 2018): what a network says as pixels go, or come.

counts = pixel_counts(h * w, steps)
found = curves(image, under, orders, counts, answer, batch_size)     # (2, orders, steps + 1)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Curves = NDArray[np.float64]
Counts = NDArray[np.int64]
# Given inputs (n, C, H, W), returns a number for each, (n,).
Answer = Callable[[Float32], Curves]


def pixel_counts(pixels: int, steps: int) -> Counts:
    """Return how many pixels are gone after none, one, … all of some even steps: (steps + 1,), ascending."""
    return np.linspace(0, pixels, min(steps, pixels) + 1).round().astype(np.int64)


def curves(
    image: Float32,
    under: Float32,
    orders: NDArray[np.int64],
    counts: Counts,
    answer: Answer,
    batch_size: int,
) -> Curves:
    """Delete an image's pixels in some orders, and insert them in the same.

    Parameters
    ----------
    image, under
        (C, H, W): the image, and what lies under it, which shows where a pixel is deleted.
    orders
        (O, H · W), the pixels, line by line, first ones first.
    counts
        Of `pixel_counts`.
    answer
        What is followed.
    batch_size
        Inputs in a batch.

    Returns
    -------
    (2, O, S + 1) float64
        Of deletion, which begins at the image and ends at what is under it, and of insertion, which
        begins there and ends at the image.
    """
    whole, nothing = (float(answer(one[None])[0]) for one in (image, under))
    found = np.empty((2, len(orders), len(counts)))
    found[0, :, 0] = found[1, :, -1] = whole
    found[0, :, -1] = found[1, :, 0] = nothing
    inner = found[:, :, 1:-1]
    inputs = _between(image, under, orders, counts[1:-1])
    values = [answer(batch) for batch in _batches(inputs, batch_size)]
    if values:
        inner[:] = np.concatenate(values).reshape(inner.shape)
    return found


def inputs_of(orders: int, counts: Counts) -> int:
    """Return how many inputs `curves` forwards for an image."""
    return 2 + 2 * orders * (len(counts) - 2)


def _between(image: Float32, under: Float32, orders: NDArray[np.int64], counts: Counts) -> Iterator[Float32]:
    """Yield the inputs from one end to the other: of deletion, order by order, then of insertion."""
    for before, after in ((image, under), (under, image)):
        for order in orders:
            turn = np.empty(image.shape[1:], np.int64)
            turn.ravel()[order] = np.arange(len(order))
            for count in counts:
                yield np.where(turn < count, after, before)


def _batches(inputs: Iterator[Float32], most: int) -> Iterator[Float32]:
    batch: list[Float32] = []
    for one in inputs:
        batch.append(one)
        if len(batch) == most:
            yield np.stack(batch)
            batch = []
    if batch:
        yield np.stack(batch)
