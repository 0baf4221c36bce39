"""What fools a network of three outputs on five images, and two probes, made up by hand."""

import numpy as np

from pipeline.formats.fooling import (
    About,
    Attack,
    Codes,
    Fooled,
    Fooling,
    Minimal,
    PixelProbe,
    Sample,
    Shown,
    Transfer,
)
from pipeline.formats.fooling_made import Ascended, Evolved

LEVEL = np.array([0, 2, 8])
OUTPUT = np.array([0, 1, 2, 0, 1], np.int32)
# The last is wrong as it is; of the others two are fooled at 2, and one more at 8.
PREDICTED = np.array([[0, 1, 1], [1, 1, 0], [2, 0, 0], [0, 0, 0], [0, 0, 0]], np.int32)
CONFIDENCE = np.linspace(0.3, 0.9, 15, dtype=np.float32).reshape(5, 3)
RNG = np.random.default_rng(0)
PICTURES = RNG.integers(10, 240, (2, 8, 8, 3)).astype(np.uint8)


def attack(smallest):
    return Attack(PREDICTED, PREDICTED, CONFIDENCE, np.array(smallest))


def fooled(level):
    moved = (PICTURES + np.where(np.array(level) < 0, 8, level)[:, None, None, None]).astype(np.uint8)
    return Fooled(moved, np.array(level), np.array([2, 0], np.int32), np.array([0.8, 0.7], np.float32))


def evolved(factor):
    """Images of two outputs after four generations; the second elite was drawn."""
    course = np.float32(factor) * np.array([[0.2, 0.5], [0.9, 0.5], [0.95, 0.5]], np.float32)
    return Evolved(
        np.array([0, 2], np.int32), PICTURES, np.array([4, 0]), np.array([0, 1], np.int32), course[-1],
        np.array([0, 2, 4]), course, np.array([7]),
    )  # fmt: skip


CHANGE = np.zeros((2, 8, 8, 3), np.float32)
CHANGE[0, 0, 0, 0] = 0.25
FOUND = Fooling(
    About("label", "test", 4, 0.9, 2, "relu", "mean"),
    Sample(LEVEL, np.array([3, 4, 6, 8, 9]), OUTPUT),
    {"fgsm": attack([2, 7, 1, -1, 0]), "pgd": attack([1, 5, 1, -1, 0])},
    Shown(
        np.array([7, 2]), PICTURES, np.array([1, 0], np.int32), np.array([1, 2], np.int32),
        np.array([0.9, 0.5], np.float32),
    ),
    {"fgsm": fooled([3, 0]), "pgd": fooled([2, -1])},
    Ascended(
        np.array([0, 2, 0, 2], np.int32), np.array([0, 0, 1, 1], np.int8),
        RNG.integers(0, 256, (4, 8, 8, 3)).astype(np.uint8), np.array([3, 9, 1, 20]),
        np.array([0, 2, 0, 1], np.int32), np.array([0.95, 0.99, 0.9, 0.1], np.float32),
    ),
    {"direct": evolved(0.9), "cppn": evolved(1.0)},
    Minimal(
        np.array([0, 1], np.int32), CHANGE, np.array([0.4, np.nan]), np.array([1, 0], np.int8), PICTURES,
        np.array([1.5, np.nan]), np.array([0, 2], np.int32), np.array([0.6, 0.5], np.float32),
    ),
    Transfer(("epoch-1", "final"), np.array([[0, 0, 2, 0, 0], [0, 1, 2, 0, 0]], np.int32),
             np.array([[[1, 0, 0, 0, 0], [0, 1, 0, 0, 0]], [[0, 0, 2, 0, 0], [1, 1, 0, 0, 0]]], np.int32)),
    Codes(
        np.array([3, 4, 6]), np.array([0, 1, 1]), np.array([1, 0, 0]), np.array([0.5, np.nan, 2]),
        np.array([0.1, np.nan, 0.3]), np.array([0, 0.5, 1]),
        np.array([[0, 0, 0], [1, 0, 1], [1, 1, 1]], np.uint8), np.zeros((3, 3), np.uint8),
    ),
    PixelProbe(
        RNG.random((2, 12)), np.zeros(2), np.array([2, 2]), np.array([0, 1]), np.array([0, 1, 2]),
        np.array([3, 4]), np.array([0, 1]), np.array([1, 0]), np.array([[0, 0, 1], [1, 1, 1]]),
        np.array([1, 0]), PICTURES, np.array([8, -1]),
    ),
)  # fmt: skip
