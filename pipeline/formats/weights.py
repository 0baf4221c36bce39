"""What the weights stage leaves besides tensors: model.json, and the course of a training.

Needs no torch: every stage may read it.
"""

import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from pipeline.errors import UserError
from pipeline.images.preprocess import Preprocessing
from pipeline.params import Block
from pipeline.store.replacing import replaced
from pipeline.store.tables import read_table, write_table

FILE = "model.json"
# A folder each, since `dvc plots` draws what is in a folder and nothing where it is empty.
LOSS, ACCURACY = Path("loss") / "by_epoch.csv", Path("accuracy") / "by_epoch.csv"
_LOSS, _ACCURACY = ("epoch", "train_loss", "test_loss"), ("epoch", "test_accuracy")


class Description(Block):
    """A network as the weights stage left it."""

    architecture: str = Field(description="torchvision:<name>, builtin:<name> or <file>.py:<factory>")
    weights: str = Field(description="where the weights came from")
    classes: tuple[str, ...] = Field(description="class names, in the order of the network's outputs")
    preprocessing: Preprocessing = Field(description="how an image becomes a network input")
    digest: str = Field(
        default="", description="sha256 of architecture, source, tensors, preprocessing, classes"
    )
    training: dict[str, Any] | None = Field(default=None, description="how it was trained here, if it was")


def read_description(weights_dir: Path) -> Description:
    """Read model.json of a weights folder.

    Raises
    ------
    UserError
        It is missing or is not what the weights stage writes.
    """
    path = weights_dir / FILE
    try:
        return Description.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run the stage weights first") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise UserError(f"{path}: {place}: {first['msg']}; run the stage weights again") from None


def write_description(weights_dir: Path, description: Description) -> None:
    """Write model.json into a weights folder, whole or not at all; equal descriptions give equal bytes."""
    text = json.dumps(description.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False)
    with replaced(weights_dir / FILE) as unfinished:
        unfinished.write_text(text + "\n", encoding="utf-8")


def write_course(folder: Path, epochs: Sequence[tuple[int, float | None, float, float]]) -> None:
    """Write the course of a training as tables for `dvc plots`; none where nothing was trained.

    Parameters
    ----------
    folder
        Takes the place of what was there.
    epochs
        Number, loss of the training images (None before the first step) and of the held-out ones in nats, and
        the share of these that is right.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for name in (LOSS, ACCURACY):
        (folder / name.parent).mkdir(parents=True)
    if epochs:
        write_table(folder / LOSS, _LOSS, [epoch[:3] for epoch in epochs])
        write_table(folder / ACCURACY, _ACCURACY, [(epoch[0], epoch[3]) for epoch in epochs])


def read_course(folder: Path) -> list[tuple[float, ...]]:
    """Read the rows of `write_course`, NaN for None; empty where nothing was trained.

    Raises
    ------
    UserError
        A file is not such a table.
    """
    if not (folder / LOSS).exists():
        return []
    loss, accuracy = read_table(folder / LOSS, _LOSS), read_table(folder / ACCURACY, _ACCURACY)
    return [
        tuple(float(cell) if cell else math.nan for cell in (*first, second[-1]))
        for first, second in zip(loss, accuracy, strict=True)
    ]
