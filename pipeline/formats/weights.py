"""What stands in a weights folder beside the tensors: model.json. Needs no torch: every stage may read it."""

import json
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from pipeline.errors import UserError
from pipeline.images.preprocess import Preprocessing
from pipeline.params import Block
from pipeline.store.replacing import replaced

FILE = "model.json"


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
