"""People's answers on eight images of three classes, as arrays."""

import numpy as np

from pipeline.formats.human_choices import Choices, Scores
from pipeline.formats.humans import Answers, Compared, Consistency, Doubt, Humans, Network, Raters

IMAGES = 8
LABEL = np.array([0, 0, 0, 1, 1, 1, 2, 2], np.int32)
PREDICTED = np.array([0, 0, 1, 1, 1, -1, 2, 0], np.int32)


def humans(*, tabled=(False, False), doubt=True, top5=False, conditions=("",), sure=False) -> Humans:
    """Two raters on all images: the first is right on six, the second on four.

    `sure`: the first is sure by half, and guesses another time.
    """
    raters = Raters(("anna", "ben"), np.array(tabled), np.array([0, int(tabled[1])]), 0)
    guess = np.concatenate([LABEL, LABEL])[:, None].copy()
    guess[[0, 2, 8, 9, 10, 11], 0] = [1, 1, 2, 2, 2, -1]
    confidence = np.full(2 * IMAGES, np.nan, np.float32)
    if sure:
        confidence[:IMAGES] = 0.5
        guess = np.column_stack([guess, np.repeat([2, -2], IMAGES)])
    answers = Answers(
        np.repeat([0, 1], IMAGES).astype(np.int32),
        (np.arange(2 * IMAGES) % len(conditions)).astype(np.int32),
        np.tile(np.arange(IMAGES), 2), guess.astype(np.int32), confidence,
    )  # fmt: skip
    right = PREDICTED == LABEL
    network = Network(np.arange(IMAGES), LABEL, PREDICTED, right, np.ones(IMAGES, bool))
    cells = np.zeros((2, len(conditions), 4), np.int64)
    cells[:, 0] = [[4, 2, 1, 1], [2, 2, 3, 1]]
    known = np.array([8, 8] if top5 else [-1, -1])
    compared = Compared(
        cells, np.array([1, 0]), np.array([1.0, 0.5]), np.array([0.2, 0.3]), np.array([0.4, 0.38]), known,
        known,
    )  # fmt: skip
    pairs = np.array([[-1, 0], [-1, 1], [0, 1]][: 2 if any(tabled) else 3], np.int32)
    count = np.arange(len(pairs))
    kappa = Consistency(
        pairs[:, 0], pairs[:, 1], 0.1 + 0.1 * count, -0.2 + 0.3 * (count == 2), 0.5 + 0.0 * count,
        np.full(len(pairs), IMAGES), np.ones(len(pairs), np.int64),
    )  # fmt: skip
    return Humans(
        raters, tuple(conditions), answers, network, compared, kappa, 0, 0, many() if doubt else None
    )


def many() -> Doubt:
    """Ten people on each image; they differ on the last four."""
    count = 10 * np.eye(3, dtype=np.int64)[LABEL]
    count[4:] = [[3, 7, 0], [2, 8, 0], [5, 0, 5], [4, 2, 4]]
    shares = count / 10
    entropy = -(shares * np.log(np.maximum(shares, 1e-9))).sum(axis=1)
    right = count[np.arange(IMAGES), LABEL] / 10
    return Doubt(
        np.arange(IMAGES), count, np.zeros(IMAGES, np.int64), entropy, entropy[::-1].copy(), entropy + 0.5,
        np.full(IMAGES, 0.25), right, (PREDICTED == LABEL).astype(np.int8),
        np.repeat([0, 1], 4), np.array([0.6, 1.2]),
    )  # fmt: skip


def choices(*, left_out=(0, 0, 0)) -> Choices:
    """Two people on three units of two layers: all right but the last one, which is unsure, and one wrong."""
    scores = Scores(*np.array([[0.75, 1.0], [0.2, 0.34], [0.9, 1.0], [2.0, 1.0]]))
    whole = Scores(*np.array([[0.7], [0.3], [0.93], [4.0]]))
    value = np.array([[3, 0.1], [3, 0.1], [0.2, 2], [0.2, 2], [5, 1]], np.float32)
    return Choices(
        ("conv1", "conv2"), scores, whole, ("anna", "ben"), np.array([0, 0, 0, 0, 1], np.int32),
        np.array([0, 1, 0, 1, 0], np.int32), np.array([2, 2, 7, 7, 1]),
        np.array([[0, 1], [0, 1], [3, 2], [3, 2], [4, 5]]), value, np.array([0, 1, 1, -1, 0], np.int8),
        *left_out,
    )  # fmt: skip
