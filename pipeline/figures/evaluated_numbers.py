"""Numbers of an evaluation that no figure shows and sentences weigh: against chance, two classes apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.analyses.predictions.hardest import hardest
from pipeline.contents.values import Number
from pipeline.formats.predictions import Calibration, Confusion
from pipeline.numerics.intervals import wilson


def evaluated_numbers(
    name: tuple[str, ...], confusion: Confusion, calibration: Calibration
) -> dict[str, Number]:
    """Return the numbers by name.

    Parameters
    ----------
    name
        Of the K outputs.
    confusion, calibration
        Of at least one image.

    Returns
    -------
    dict
        ``evaluated_classes`` and ``largest_share``, the share of the most frequent class among the images;
        ``mean_confidence``; and where two classes are mistaken for each other, what `most_confused` says.
    """
    labelled = np.bincount(confusion.label, confusion.images, len(name)).astype(np.int64)
    filled = calibration.count > 0
    sure = float((calibration.confidence[filled] * calibration.count[filled]).sum())
    numbers: dict[str, Number] = {
        "evaluated_classes": int(np.count_nonzero(labelled)),
        "largest_share": float(labelled.max() / labelled.sum()),
        "mean_confidence": sure / float(calibration.count.sum()),
    }
    return numbers | most_confused(name, confusion, labelled)


def most_confused(
    name: tuple[str, ...], confusion: Confusion, labelled: NDArray[np.int64]
) -> dict[str, Number]:
    """Return the two classes of whose images the largest share is taken for the other, in both directions.

    Parameters
    ----------
    name
        Of the K outputs.
    confusion
        Images by right and predicted output.
    labelled : (K,) int64
        Images of each right output.

    Returns
    -------
    dict
        ``pair_first`` and ``pair_second``; ``pair_mistaken`` images ``pair_of`` the images of both;
        ``pair_ends``, Wilson's 95 % interval of that share; and ``pair_rest``, the highest upper end among
        the other pairs that are mistaken at all, 0 where there is none. Empty where nothing is mistaken.
    """
    wrong = confusion.label != confusion.predicted
    ends = np.sort(np.stack((confusion.label[wrong], confusion.predicted[wrong]), axis=1), axis=1)
    if not len(ends):
        return {}
    pairs, place = np.unique(ends, axis=0, return_inverse=True)
    mistaken = np.bincount(place.ravel(), confusion.images[wrong]).astype(np.int64)
    of = labelled[pairs].sum(axis=1)
    low, high = wilson(mistaken, of)
    # Of equal shares the one of more images says more.
    first = int(np.lexsort((mistaken, mistaken / of))[-1])
    return {
        "pair_first": name[pairs[first, 0]], "pair_second": name[pairs[first, 1]],
        "pair_mistaken": int(mistaken[first]), "pair_of": int(of[first]),
        "pair_ends": (float(low[first]), float(high[first])),
        "pair_rest": float(np.delete(high, first).max(initial=0.0)),
    }  # fmt: skip


def ends_of_classes(
    name: Sequence[str], right: NDArray[np.int64], labelled: NDArray[np.int64]
) -> dict[str, Number]:
    """Return at which classes the accuracies end, and whether any class is clearly hard.

    Parameters
    ----------
    name
        Of the C classes.
    right, labelled : (C,) int64
        Images of each that are right, and all of it; 1 or more.

    Returns
    -------
    dict
        ``lowest``, the first class of the lowest accuracy, ``lowest_share``, ``lowest_ends``, its Wilson's
        interval, and ``lowest_classes``, how many have this accuracy; ``highest`` likewise. ``hard`` is how
        many classes are harder than all images together beyond what chance explains, ``lowest_hard``
        whether the lowest is one of them, and ``overall`` the accuracy of all images together.
    """
    share, (low, high), hard = right / labelled, wilson(right, labelled), hardest(right, labelled)
    told: dict[str, Number] = {"hard": len(hard), "overall": float(right.sum() / labelled.sum())}
    for end, value in (("lowest", share.min()), ("highest", share.max())):
        first, *others = np.flatnonzero(share == value).tolist()
        told |= {
            end: name[first], f"{end}_share": float(value), f"{end}_classes": 1 + len(others),
            f"{end}_ends": (float(low[first]), float(high[first])),
        }  # fmt: skip
    return told | {"lowest_hard": int((share[hard] == share.min()).any())}
