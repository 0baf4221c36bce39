"""The block `embedding`: its schema."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.params import Block

Perplexity = Annotated[float, Field(ge=1, le=10_000)]


class Params(Block):
    """The block `embedding`."""

    metric: Literal["euclidean", "cosine"] = Field(
        description="distance of codes; cosine: each is scaled to length 1"
    )
    components: int = Field(ge=2, le=1000, description="principal components kept before t-SNE")
    perplexity: Perplexity | Annotated[tuple[Perplexity, ...], Field(min_length=1)] = Field(
        description="neighbours, 1 to 10000; a list is combined"
    )
    exaggeration: float = Field(ge=1, le=20, description="attraction after the early phase, factor")
    iterations: int = Field(ge=50, le=100_000, description="after the 250 of early exaggeration")
    landmarks: int = Field(ge=5, description="images optimised together; the rest is placed among them")
    quality_sample: int = Field(
        ge=10, description="images whose neighbours are compared; all where there are fewer"
    )
    grid_block: int = Field(ge=4, le=20_000, description="cells that one optimal assignment has at most")
    seed: int = Field(ge=0, le=2**31 - 1, description="of the sample, the start and the quality numbers")
    n_jobs: int = Field(ge=1, le=1024, description="threads; another number changes the map's last bits")
