"""The block `directions`: its schema, and what is checked before any stage runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from pipeline.analyses.directions.given import read_given
from pipeline.layers.choosing import choose_layers
from pipeline.layers.selection import select_layers
from pipeline.params import OptionalBlock
from pipeline.weights.assembly import Preview


class Params(OptionalBlock):
    """The block `directions`."""

    layers: Literal["auto"] | Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="auto, or names and globs of extracted layers"
    )
    count: int = Field(ge=2, le=1000, description="random directions, and principal components")
    drawn: int = Field(ge=1, le=200, description="of these, and of the units, how many are drawn")
    side: int = Field(ge=8, le=512, description="side of a patch, pixels")
    rotations: int = Field(ge=0, le=100, description="pairs of layers between which a rotation is measured")
    sample: int = Field(ge=1, le=10_000, description="images that it is measured on")
    seed: int = Field(ge=0, le=2**31 - 1, description="of directions, drawn units, permutations, rotations")


def check(blocks: Mapping[str, Any], network: Preview) -> None:
    """Choose the layers, and read what lies in inputs/directions, so that a mistake ends the run early.

    Raises
    ------
    UserError
        A pattern matches no extracted layer, or a file does not fit one.
    """
    if not blocks["directions"].run:
        return
    extracted = select_layers(network.layers, network.code_layer, blocks["extract"].layers, "extract.layers")
    if blocks["directions"].layers != "auto":
        choose_layers(blocks["directions"].layers, [layer.name for layer in extracted], "directions.layers")
    read_given(Path("inputs/directions"), {layer.name: layer.units for layer in extracted})
