"""The block `training_dynamics`: its schema, and what is checked of checkpoints before any stage runs."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from pipeline.layers.choosing import choose_layers
from pipeline.layers.selection import select_layers
from pipeline.params import OptionalBlock
from pipeline.weights.assembly import TRAIN, Preview
from pipeline.weights.checkpoints import class_count, fit_state, read_checkpoint
from pipeline.weights.saved import given_files

GIVEN = Path("inputs/checkpoints")
# The blocks of the stages that read it.
READERS = ("training_dynamics", "filters", "fooling")


class Params(OptionalBlock):
    """The block `training_dynamics`."""

    sample: int = Field(ge=2, description="images that every checkpoint is given")
    layers: Literal["auto"] | Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="layers whose maps are shown: auto (the first and the last map), or names and globs"
    )
    units: int = Field(ge=1, le=64, description="units of a layer whose maps are shown")
    batch_size: int = Field(ge=1, le=4096, description="images in a batch")
    seed: int = Field(ge=0, le=2**31 - 1, description="of the sample, and of intervals over it")


def check(blocks: Mapping[str, Any], network: Preview) -> None:
    """See that its layers are extracted maps; read the checkpoints in inputs/checkpoints, which must fit.

    They are read where a stage will read them.

    Raises
    ------
    UserError
        Naming the layer, or the file and what is wrong in it.
    """
    own = blocks["training_dynamics"]
    if own.run and own.layers != "auto":
        extracted = select_layers(
            network.layers, network.code_layer, blocks["extract"].layers, "extract.layers"
        )
        maps = [layer.name for layer in extracted if layer.map_size != (1, 1)]
        choose_layers(own.layers, maps, "training_dynamics.layers")
    if blocks["model"].weights == TRAIN or not any(blocks[name].run for name in READERS):
        return
    files = given_files(GIVEN)
    other = copy.deepcopy(network.network) if files else network.network
    for path in files:
        state = read_checkpoint(path)
        # Without a dataset the number of classes may be another one; the stage sees.
        if class_count(other, state) is None:
            fit_state(other, state, str(path))
