"""The block `predictions`: its schema, and what is checked before any stage runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from pipeline.analyses.predictions.classes import read_mapping
from pipeline.analyses.predictions.wnids import read_class_index
from pipeline.params import Block

MAPPING = "mapping.csv"


class Params(Block):
    """The block `predictions`."""

    bins: int = Field(ge=2, le=1000, description="bins of the confidence in the calibration")
    binning: Literal["width", "count"] = Field(
        description="bins of equal width, or of equal numbers of images"
    )
    plot_rows: int = Field(
        ge=1, description="images in the confusion plot of dvc; a random sample where more"
    )
    seed: int = Field(ge=0, le=2**31 - 1, description="of that sample")


def check(_blocks: Mapping[str, Any], _network: object) -> None:
    """Read what the user says of the classes, so that a mistake in it ends the run early.

    Raises
    ------
    UserError
        Naming the file in inputs/classes.
    """
    folder = Path("inputs/classes")
    read_mapping(folder / MAPPING)
    read_class_index(folder)
