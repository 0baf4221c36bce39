"""The head of the first page: the network and the data, how good it is, how large it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from markupsafe import Markup

from pipeline.contents.values import Number
from pipeline.report import numbers as written
from pipeline.report.captions import Parts
from pipeline.report.collecting import Worded
from pipeline.report.shown import Shown
from pipeline.report.wording import sourced_line

# The section that counts the network and its images, and the metric of units that no image excites.
SUMMARY = "summary"
NEVER_ACTIVE = "topk.units_never_active"
STEP = 5  # per cent
ACCURACY = ("accuracy", "accuracy_low", "accuracy_high", "accuracy_images")


def head(words: Parts, sections: Mapping[str, Worded], metrics: Mapping[str, Number]) -> Shown | None:
    """Return what stands at the head; None where there is no summary of the network.

    Returns
    -------
    dict
        ``title``, ``size``; ``accuracy`` as its share, its interval, the line that these are drawn on with
        their places along it in per cent, and words, or None; ``no_accuracy``, why there is none.
    """
    section = sections.get(SUMMARY)
    if section is None or section.content.status != "done":
        return None
    known: dict[str, Any] = dict(section.content.numbers)
    sources = section.sources()
    if NEVER_ACTIVE in metrics:
        known["never_active"] = metrics[NEVER_ACTIVE]
        sources["never_active"] = "metrics/topk.json#units_never_active"
    # A file or a folder is called by its last part.
    for name in ("architecture", "dataset"):
        known[name] = PurePosixPath(str(known[name])).name or known[name]
    shown: Shown = {name: _line(words, name, known, sources) for name in ("title", "size")}
    measured = all(name in known for name in ACCURACY)
    shown["accuracy"] = _accuracy(words, known, sources) if measured else None
    shown["no_accuracy"] = "" if measured else _line(words, "no-accuracy", known, sources)
    return shown


def _accuracy(words: Parts, known: Mapping[str, Any], sources: Mapping[str, str]) -> Shown:
    low, high = known["accuracy_low"], known["accuracy_high"]
    ends = f"{sources['accuracy_low']} {sources['accuracy_high']}"
    left, right = axis(low, high)
    values = (100 * value for value in (low, known["accuracy"], high))
    return {
        "share": sourced(written.share(known["accuracy"]), sources["accuracy"]),
        "interval": sourced(written.interval((low, high)), ends),
        "axis": [left, right],
        "places": [round(100 * (value - left) / (right - left), 1) for value in values],
        "words": _line(words, "accuracy", known, sources),
    }


def axis(low: float, high: float) -> tuple[int, int]:
    """Return where the line begins and ends that an interval of shares is drawn on, per cent.

    Whole steps with room beside the interval: on a line from 0 to 100 that of ten thousand images is a dot.
    """
    left, right = (round(100 * end / STEP) * STEP for end in (low, high))
    room = STEP + STEP * round((right - left) / (2 * STEP))
    return max(0, left - room), min(100, right + room)


def _line(words: Parts, name: str, known: Mapping[str, Any], sources: Mapping[str, str]) -> Markup:
    return sourced_line(words.part(name), "title", known, sources)


def sourced(text: str, source: str) -> Markup:
    """Return a number as HTML that says where it was read."""
    return Markup('<span data-source="{}">{}</span>').format(source, text)
