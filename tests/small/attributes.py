"""An artifact of attributes made by hand."""

import numpy as np

from pipeline.formats.attributes import Attributes, BinNumbers, Effect, Interaction

EXAMPLES = np.array([[0, 3, -1], [7, 9, 11]])


def bins(accuracy, words=None, classes=0):
    """Return bins of 40 images each."""
    share = np.asarray(accuracy, np.float64)
    count, place = len(share), np.arange(len(share), dtype=np.float64)
    ends = np.full(count, np.nan) if words else place
    return BinNumbers(
        ends, ends + 0.5, words, np.full(count, 40), np.rint(40 * share).astype(np.int64),
        np.full(count, classes), share, share - 0.05, share + 0.05, share + 0.02, share, share + 0.04,
        np.full(count, 0.03),
    )  # fmt: skip


def attributes(surviving=True, **changed):
    """Return what was found of three attributes: brightness, words, and one of classes."""
    none = np.full((2, 3), -1)
    words, of_classes = bins([0.9, 0.7], ("day", "<b>")), bins([0.8, 0.85], classes=4)
    given = np.array([0.001]) if surviving else np.zeros(0)
    low = 0.002 if surviving else 0.4
    values = {
        "names": ("brightness", "light"), "images": np.array([[20, 20], [0, 80], [0, 0]]),
        "right": np.array([[10, 20], [0, 70], [0, 0]]), "ratio": 0.0, "freedom": 0, "chance": float("nan"),
    }  # fmt: skip
    found = {
        "images": 120, "right": 100, "split": "test", "calibration_error": 0.04, "level": 0.05,
        "repeats": 999,
        "effects": (
            Effect("brightness", "pixels", bins([0.5, 0.9, 0.95]), 0.2, 0.001, low, 0.01, given, EXAMPLES),
            Effect("light", "dataset", words, 0.01, 0.3, 0.6, 0.7, given * 300, none),
            Effect("size", "dataset", of_classes, 0.0, 0.6, 0.6, float("nan"), given * np.nan, none),
        ),
        "chain": ("brightness",) if surviving else (), "left_out": ("aspect",),
        "interaction": Interaction(**values), "listed": np.array([0, 3, 7, 9, 11, 20]),
        "values": {
            "brightness": np.array([0.1, 0.2, np.nan, 0.4, 0.5, 0.6]),
            "light": ["day", "", "<b>", "day", "day", "<b>"], "size": np.arange(6.0),
        },
    }  # fmt: skip
    return Attributes(**found | changed)
