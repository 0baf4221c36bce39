"""The block `concepts`: its schema, and what is checked before any stage runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from pipeline.analyses.directions.examples import find_examples
from pipeline.layers.choosing import choose_layers
from pipeline.layers.selection import select_layers
from pipeline.params import OptionalBlock
from pipeline.weights.assembly import Preview


class Params(OptionalBlock):
    """The block `concepts`."""

    layers: Literal["auto"] | Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="auto, or names and globs of extracted layers"
    )
    random_sets: int = Field(
        ge=3, le=1000, description="sets of random images that each concept is told from"
    )
    random_images: int = Field(ge=6, le=10_000, description="images in a random set")
    outputs: Annotated[int, Field(ge=1)] | Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="how many outputs are asked about, or their names"
    )
    images: int = Field(ge=1, le=10_000, description="images of each output that a score is of")
    batch_size: int = Field(ge=1, le=4096, description="images in a batch")
    seed: int = Field(ge=0, le=2**31 - 1, description="of random sets, images, held-out examples")


def check(blocks: Mapping[str, Any], network: Preview) -> None:
    """Choose the layers, and list what lies in inputs/concepts, so that a mistake ends the run early.

    Raises
    ------
    UserError
        A pattern matches no extracted layer, or a folder of examples is not as it must be.
    """
    if not blocks["concepts"].run:
        return
    if blocks["concepts"].layers != "auto":
        extracted = select_layers(
            network.layers, network.code_layer, blocks["extract"].layers, "extract.layers"
        )
        choose_layers(blocks["concepts"].layers, [layer.name for layer in extracted], "concepts.layers")
    find_examples(Path("inputs/concepts"))
