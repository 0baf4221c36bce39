"""The block `occlusion`: its schema, and what is checked before any stage runs."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from pipeline.errors import UserError
from pipeline.numerics.geometry import Pair
from pipeline.params import OptionalBlock
from pipeline.weights.assembly import Preview

Length = Annotated[int, Field(ge=1)] | Annotated[float, Field(gt=0, lt=1)]


class Params(OptionalBlock):
    """The block `occlusion`; a whole number is pixels, another a share of the input's shorter side."""

    windows: Annotated[tuple[Length, ...], Field(min_length=1)] = Field(description="sides of the squares")
    stride: Length = Field(description="most that a square moves at a time")
    fill: Literal["zero", "mean", "blur", "noise"] = Field(description="what squares are filled with")
    probes: int = Field(ge=1, le=500, description="probes, the first ones")
    batch_size: int = Field(ge=1, le=4096, description="inputs in a batch")
    seed: int = Field(ge=0, le=2**31 - 1, description="of the noise")


def window_sides(params: Params, input_size: Pair) -> list[int]:
    """Return the sides of the squares, pixels, ascending, each once.

    Raises
    ------
    UserError
        One is larger than the network's input.
    """
    side = min(input_size)
    for window in params.windows:
        if window > side:
            raise UserError(
                f"occlusion.windows: a square of {window} pixels is larger than the network's input, "
                f"{input_size[0]} x {input_size[1]} pixels; give at most {side}"
            )
    return sorted({pixels(window, side) for window in params.windows})


def pixels(length: float, side: int) -> int:
    """Return a length in pixels, 1 or more: a whole number as it is, another one as a share of a side."""
    return length if isinstance(length, int) else max(1, round(length * side))


def check(blocks: Mapping[str, Any], network: Preview) -> None:
    """See that the squares fit the network's input; `UserError` if not."""
    params = blocks["occlusion"]
    if params.run:
        window_sides(params, network.preprocessing.input_size)
