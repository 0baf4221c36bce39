"""The block `topk`: its schema, and what is checked before any stage runs."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from pipeline.errors import UserError
from pipeline.params import Block


class Params(Block):
    """The block `topk`."""

    k: int = Field(ge=1, description="images shown for each unit, at most the number of images")
    margin: int = Field(ge=0, description="further ranks kept, so that near-duplicates can be passed over")


def check(blocks: Mapping[str, Any], _network: object) -> None:
    """See that half precision leaves enough candidates for the ranks that are kept.

    Raises
    ------
    UserError
        If they are fewer.
    """
    extract, topk = blocks["extract"], blocks["topk"]
    ranks = topk.k + topk.margin
    if extract.precision != "float32" and 0 < extract.candidates < ranks:
        raise UserError(
            f"extract.candidates is {extract.candidates}, but topk.k + topk.margin is {ranks}; "
            f"set it to {ranks} or more, or to 0 to rank in {extract.precision}"
        )
