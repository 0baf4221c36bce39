"""The block `dataset`: its schema, and what is checked before any stage runs."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from pipeline.dataset.dataset import open_dataset
from pipeline.errors import UserError
from pipeline.params import Block


class Params(Block):
    """The block `dataset`."""

    path: str = Field(
        min_length=1, description="a folder of class folders or tar files, a tar file, or a CSV"
    )
    sample: int | None = Field(default=None, ge=1, description="number of images drawn; null: all")
    held_out: float = Field(
        default=0.2,
        ge=0.0,
        lt=1.0,
        description="share held out as split test where the dataset has no splits",
    )
    seed: int = Field(default=0, ge=0, lt=2**63, description="of the sample and of the held-out share")
    max_bad_fraction: float = Field(
        default=0.01, ge=0.0, le=1.0, description="largest share of images that may be unusable"
    )
    check: Literal["pixels", "headers"] = Field(
        default="pixels", description="whether every image is decoded, or only its header read"
    )


def check(blocks: Mapping[str, Any], _network: object) -> None:
    """Refuse a dataset that is not there or has nothing in it, unless the stage `sample` is about to make it.

    Raises
    ------
    UserError
        Naming the path.
    """
    path = Path(blocks["dataset"].path)
    if path == Path("data") / blocks["sample"].dataset and blocks["sample"].dataset != "none":
        return
    open_dataset(path)
    if path.is_dir() and not any(files for _, _, files in os.walk(path)):
        raise UserError(f"dataset.path: {path}: holds no files; give class folders, tar files or a CSV")
