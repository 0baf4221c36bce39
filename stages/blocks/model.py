"""The block `model`: its schema. Before any stage runs, `check` builds the network that it names."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from pipeline.images.preprocess import Preprocessing
from pipeline.params import Block
from pipeline.weights.assembly import Source


class Training(Block):
    """The part `training` of the block."""

    epochs: int = Field(ge=1, le=10000, description="passes over the training images")
    learning_rate: float = Field(gt=0, le=10, description="peak of the one-cycle schedule of AdamW")
    batch_size: int = Field(ge=1, le=4096, description="images in a step")
    shift: int = Field(ge=0, le=64, description="largest random translation, pixels of the network input")
    weight_decay: float = Field(ge=0, le=10, description="of AdamW")
    seed: int = Field(ge=0, le=2**63 - 1, description="of initial weights, order and shifts")
    checkpoints: tuple[int, ...] = Field(description="epochs whose weights are kept; 0 is the initialisation")


class Params(Block):
    """The block `model`."""

    architecture: str = Field(
        description="builtin:<name>, torchvision:<name>, or inputs/network/file.py:factory"
    )
    weights: str = Field(description="train, the name of torchvision weights, or a checkpoint file")
    preprocessing: Literal["auto"] | Preprocessing = Field(description="auto, or how images are prepared")
    training: Training


def source_of(params: Params, inputs: Path) -> Source:
    """Return what the params say of the network."""
    given = None if isinstance(params.preprocessing, str) else params.preprocessing
    return Source(params.architecture, params.weights, given, inputs)
