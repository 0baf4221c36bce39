"""What a network predicts, how often it is right, and how well it knows.

`rank_outputs` turns logits into predictions, shard by shard; the rest counts: `accuracy` with its interval,
`confusion`, `reliability` and what follows from it. Labels here are outputs of the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.formats.predictions import Basis, Confusion
from pipeline.numerics.intervals import wilson

TOP = 5
# The first of these that the dataset has is held out; other names are splits of their own. The manifest calls
# all that means the same by one name.
HELD_OUT = ("test", "val")
TRAINED_ON = "train"
ROWS_AT_ONCE = 256  # of logits in float64: 45 MB of ImageNet-21k


@dataclass(frozen=True)
class Predictions:
    """One row an image.

    Attributes
    ----------
    predicted : (N,) int32
        The output with the largest logit; the first of equal ones.
    probability : (N,) float32
        Its softmax probability.
    label : (N,) int32
        The right output; -1 where it is not known.
    label_rank : (N,) int32
        Place of the right output among all by falling logit, 0 is first; -1 where it is not known.
    log_loss : (N,) float32
        Minus the natural logarithm of the right output's probability, nats; NaN where it is not known.
    leading, leading_probability : (N, F) int32 and float32
        The first five outputs by falling logit, fewer where the network has fewer, of equal ones the first;
        and their softmax probabilities.
    """

    predicted: NDArray[np.int32]
    probability: NDArray[np.float32]
    label: NDArray[np.int32]
    label_rank: NDArray[np.int32]
    log_loss: NDArray[np.float32]
    leading: NDArray[np.int32]
    leading_probability: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.predicted)

    @property
    def correct(self) -> NDArray[np.bool_]:
        """(N,) bool, whether the right output is known and first."""
        return self.label_rank == 0

    def rows(self, chosen: NDArray[np.bool_]) -> Predictions:
        """Return some of the rows: (N,) bool."""
        return joined([self], chosen)


@dataclass(frozen=True)
class Reliability:
    """Confidence against accuracy, in bins of the confidence.

    Attributes
    ----------
    low, high : (B,) float64
        Ends of each bin, 0 to 1.
    count : (B,) int64
        Images in it.
    confidence, accuracy : (B,) float64
        Mean probability of the predicted output, and share of right predictions; NaN in an empty bin.
    error : float
        Expected calibration error (Guo et al. 2017): mean of |accuracy - confidence|, weighted by count; 0
        to 1.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    count: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    error: float


def rank_outputs(logits: NDArray[np.floating], label: NDArray[np.integer]) -> Predictions:
    """Turn logits into predictions.

    Parameters
    ----------
    logits
        (n, K).
    label
        (n,) the right output, -1 where it is not known.

    Raises
    ------
    UserError
        A logit is NaN or infinite.
    """
    starts = range(0, len(logits), ROWS_AT_ONCE) or (0,)
    blocks = (slice(start, start + ROWS_AT_ONCE) for start in starts)
    return joined([_rank_rows(logits[rows], label[rows]) for rows in blocks])


def _rank_rows(logits: NDArray[np.floating], label: NDArray[np.integer]) -> Predictions:
    if not np.isfinite(logits).all():
        raise UserError(
            "logits: NaN or infinite values; the network overflows: check its weights and preprocessing"
        )
    values = logits.astype(np.float64)
    values -= values.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(values).sum(axis=1))
    own = np.take_along_axis(values, np.maximum(label, 0)[:, None], axis=1)
    before = (values > own) | ((values == own) & (np.arange(values.shape[1]) < label[:, None]))
    known, leading = label >= 0, _leading(values)
    probability = np.exp(np.take_along_axis(values, leading, axis=1) - log_sum[:, None]).astype(np.float32)
    return Predictions(
        predicted=leading[:, 0],
        probability=np.exp(-log_sum).astype(np.float32),
        label=label.astype(np.int32),
        label_rank=np.where(known, before.sum(axis=1), -1).astype(np.int32),
        log_loss=np.where(known, log_sum - own[:, 0], np.nan).astype(np.float32),
        leading=leading,
        leading_probability=probability,
    )


def _leading(values: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return the first outputs of each row: (n, `TOP`), fewer where there are fewer."""
    left, found = values.copy(), np.empty((len(values), min(TOP, values.shape[1])), np.int32)
    for place in range(found.shape[1]):
        found[:, place] = left.argmax(axis=1)
        np.put_along_axis(left, found[:, place, None], -np.inf, axis=1)
    return found


def joined(parts: Sequence[Predictions], chosen: NDArray[np.bool_] | slice = slice(None)) -> Predictions:
    """Put the rows of several parts one after the other, and keep the chosen ones."""
    columns = (field.name for field in fields(Predictions))
    return Predictions(*(np.concatenate([getattr(part, name) for part in parts])[chosen] for name in columns))


def held_out(splits: NDArray[np.str_]) -> str | None:
    """Return the name of the split whose accuracy counts, of (N,) splits; None where all may be training."""
    return next((name for name in HELD_OUT if (splits == name).any()), None)


def counted_split(splits: NDArray[np.str_], *, trained: bool, drawn: bool) -> tuple[str | None, Basis]:
    """Say which images the accuracy is of, and what is known of them.

    Parameters
    ----------
    splits
        (N,) of all images.
    trained
        Whether the network was trained here, on the split "train".
    drawn
        Whether the splits were drawn here: where it was not trained here, such a split says nothing.

    Returns
    -------
    str or None, Basis
        The split; None for all images.
    """
    split = held_out(splits)
    if trained:
        others = sorted({*splits.tolist()} - {TRAINED_ON})
        split = split or next(iter(others), None)
        return (split, "held out") if split else (None, "trained on")
    return (None, "unknown") if drawn or split is None else (split, "declared")


def accuracy(predictions: Predictions, outputs: int) -> dict[str, float | int]:
    """Count right predictions among the images whose label is known.

    Parameters
    ----------
    predictions
        Of any images.
    outputs
        K of the network; with more than five, top-5 accuracy is counted too.

    Returns
    -------
    dict
        ``images`` (how many are labelled); where there are any, ``accuracy``, ``accuracy_low``,
        ``accuracy_high`` (Wilson's 95 % interval), ``log_loss`` (mean, nats), and with K > 5 the first
        three as ``top5_…``.
    """
    known = predictions.rows(predictions.label >= 0)
    numbers: dict[str, float | int] = {"images": len(known)}
    if not len(known):
        return numbers
    for name, top in (("accuracy", 1), ("top5_accuracy", TOP))[: 2 if outputs > TOP else 1]:
        right = int((known.label_rank < top).sum())
        low, high = wilson(right, len(known))
        numbers |= {name: right / len(known), f"{name}_low": float(low), f"{name}_high": float(high)}
    return numbers | {"log_loss": float(known.log_loss.mean(dtype=np.float64))}


def confusion(predictions: Predictions) -> Confusion:
    """Count the labelled images by label and prediction; of K outputs few of the K² pairs occur."""
    known = predictions.label >= 0
    found = np.stack((predictions.label[known], predictions.predicted[known]))
    pairs, images = np.unique(found, axis=1, return_counts=True)
    label, predicted = pairs.astype(np.int32)
    return Confusion(label, predicted, images.astype(np.int64))


def reliability(
    predictions: Predictions, bins: int, binning: Literal["width", "count"] = "width"
) -> Reliability:
    """Compare confidence with accuracy on the labelled images.

    Parameters
    ----------
    predictions
        Of any images; those without a label are left out.
    bins
        Bins of the confidence.
    binning
        ``width``: bins of equal width from 0 to 1. ``count``: of equal numbers of images.
    """
    known = predictions.rows(predictions.label >= 0)
    confidence = known.probability.astype(np.float64)
    if binning == "count" and len(known):
        edges = np.quantile(confidence, np.linspace(0, 1, bins + 1))
        place = np.empty(len(known), np.int64)
        place[np.argsort(confidence, kind="stable")] = np.arange(len(known)) * bins // len(known)
    else:
        edges = np.linspace(0, 1, bins + 1)
        # A bin holds its upper end, not its lower one, as Guo et al. have it.
        place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    share = np.where(count > 0, count, np.nan)
    mean = np.bincount(place, confidence, bins) / share
    right = np.bincount(place, known.correct, bins) / share
    error = float(np.nansum(np.abs(right - mean) * count) / max(len(known), 1))
    return Reliability(edges[:-1], edges[1:], count, mean, right, error)
