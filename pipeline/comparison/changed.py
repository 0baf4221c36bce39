"""The images whose prediction changed, with their pictures."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.comparison.answers import Answers
from pipeline.comparison.pairing import Pairs
from pipeline.comparison.runs import PICTURES, Run
from pipeline.contents.writing import SectionDraft
from pipeline.errors import UserError
from pipeline.figures.drawing.webp import save_webp
from pipeline.formats.thumbnails import ThumbnailFile, open_thumbnails
from pipeline.store.tables import write_table

MOST_SHOWN = 24  # of a kind
COLUMNS = ("path", "label", "kind", "first", "first probability", "second", "second probability")
# What became of a prediction, in the order of the page.
KINDS = ("lost", "won", "other")


@dataclass(frozen=True)
class Shown:
    """An image whose prediction changed.

    Attributes
    ----------
    path, label
        Of the image; an empty label where there is none.
    first, second
        What either network said.
    probability
        That the second gave it.
    picture
        A file of the section; empty where there is none.
    width, height
        Of the picture, pixels.
    """

    path: str
    label: str
    first: str
    second: str
    probability: float
    picture: str
    width: int
    height: int


def add_changed(section: SectionDraft, answers: Answers, pairs: Pairs, second: Run) -> dict[str, list[Shown]]:
    """Count the images whose prediction changed, list them, and return by kind those that are shown.

    "lost": right before and wrong now; "won": the reverse; "other": wrong in two ways, or without label.
    """
    kinds = {kind: np.flatnonzero(chosen) for kind, chosen in _kinds(answers).items()}
    section.numbers |= {kind: len(rows) for kind, rows in kinds.items()}
    section.numbers |= {"answered": len(answers.pair), "changed": int(answers.changed.sum())}
    if not answers.changed.any():
        return {}
    # Those of which the second network is surest come first.
    sure = answers.second.probability
    order = {kind: rows[np.argsort(-sure[rows], kind="stable")] for kind, rows in kinds.items()}
    lines = [_line(answers, pairs, kind, row) for kind in KINDS for row in order[kind]]
    write_table(section.folder / "changed.csv", COLUMNS, lines)
    shown = {kind: order[kind][:MOST_SHOWN] for kind in KINDS}
    image_ids = pairs.second[answers.pair[np.concatenate(list(shown.values()))]]
    pictures = _draw(section, second, image_ids)
    return {kind: [_shown(answers, pairs, row, pictures) for row in rows] for kind, rows in shown.items()}


def _kinds(answers: Answers) -> dict[str, NDArray[np.bool_]]:
    labelled = answers.label != ""
    before, now = (labelled & (one.label_rank == 0) for one in (answers.first, answers.second))
    changed = answers.changed
    return {
        "lost": changed & before & ~now,
        "won": changed & ~before & now,
        "other": changed & ~before & ~now,
    }


def _line(answers: Answers, pairs: Pairs, kind: str, row: int) -> tuple[str | float, ...]:
    first, second = answers.first, answers.second
    return (
        pairs.path[answers.pair[row]], str(answers.label[row]), kind, str(first.predicted[row]),
        float(first.probability[row]), str(second.predicted[row]), float(second.probability[row]),
    )  # fmt: skip


def _shown(answers: Answers, pairs: Pairs, row: int, pictures: dict[int, "_Picture"]) -> Shown:
    picture = pictures.get(int(pairs.second[answers.pair[row]]), _Picture("", 0, 0))
    return Shown(
        pairs.path[answers.pair[row]], str(answers.label[row]), str(answers.first.predicted[row]),
        str(answers.second.predicted[row]), float(answers.second.probability[row]),
        picture.file, picture.width, picture.height,
    )  # fmt: skip


@dataclass(frozen=True)
class _Picture:
    """A file of the section, and its size in pixels."""

    file: str
    width: int
    height: int


def _draw(section: SectionDraft, run: Run, image_ids: NDArray[np.int64]) -> dict[int, _Picture]:
    """Write the thumbnails of some images by their ids; none where the run has none."""
    try:
        with open_thumbnails(run.path(PICTURES)) as thumbnails:
            found = {int(image): _read(thumbnails, int(image)) for image in image_ids}
    except UserError as error:
        section.numbers["pictures_lacking"] = str(error)
        return {}
    drawn = {}
    for number, (image, pixels) in enumerate(found.items()):
        if pixels.size:
            file = f"pictures/{number:03}.webp"
            save_webp(section.folder / file, Image.fromarray(pixels))
            drawn[image] = _Picture(file, pixels.shape[1], pixels.shape[0])
    return drawn


def _read(thumbnails: ThumbnailFile, image: int) -> NDArray[np.uint8]:
    """Return an image's thumbnail without what fills its square, (h, w, 3); empty where there is none."""
    row = int(np.searchsorted(thumbnails.image_id, image))
    if row == len(thumbnails.image_id) or thumbnails.image_id[row] != image:
        return np.zeros((0, 0, 3), np.uint8)
    pixels = thumbnails.pixels(slice(row, row + 1))[0]
    width, height = thumbnails.size[row].tolist()
    top, left = (len(pixels) - height) // 2, (len(pixels) - width) // 2
    return pixels[top : top + height, left : left + width]
