"""Pass every image through the network once: codes, logits, each unit's maxima and statistics, in shards."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from pipeline import store
from pipeline.extraction.extraction import Wanted, extract, watched_layers
from pipeline.params import Block, digest
from pipeline.weights.assembly import Source, preview
from stages.command import Stage, execute


class Shards(Block):
    """The part `shards` of the block."""

    mean: int = Field(ge=1, description="mean number of images in a shard")
    largest: int = Field(ge=1, description="largest number of images in a shard, at least the mean")

    @model_validator(mode="after")
    def _ordered(self) -> "Shards":
        if self.largest < self.mean:
            raise ValueError(f"largest must be at least the mean, {self.mean}")
        return self


class Params(Block):
    """The block `extract`."""

    layers: Literal["auto"] | Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="auto, or node names and globs"
    )
    batch_size: int = Field(ge=1, le=4096, description="images in a batch")
    precision: Literal["float32", "bfloat16", "float16"] = Field(description="what the network computes in")
    statistics: bool = Field(description="keep each unit's zero counts and largest pre-activation")
    means: bool = Field(description="keep each unit's mean activation on every image")
    candidates: int = Field(ge=0, le=10_000, description="ranks computed again in float32; 0: none")
    shards: Shards


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Compute the shards that the pool lacks, link all into the output folder, write the index."""
    made_from = {"manifest": store.digest(paths["manifest"]), "params": digest(params)}
    extract(paths["manifest"], paths["weights"], paths["activations"], _wanted(params), made_from)


def _wanted(params: Params) -> Wanted:
    return Wanted(
        layers=params.layers,
        batch_size=params.batch_size,
        precision=params.precision,
        statistics=params.statistics,
        means=params.means,
        candidates=params.candidates,
        shard_mean=params.shards.mean,
        shard_largest=params.shards.largest,
    )


def check(blocks: Mapping[str, Any]) -> None:
    """Choose the layers of the network that the block `model` names."""
    model, wanted = blocks["model"], blocks["extract"]
    given = None if isinstance(model.preprocessing, str) else model.preprocessing
    network, preprocessing = preview(Source(model.architecture, model.weights, given, Path("inputs")))
    watched_layers(network, preprocessing.input_size, wanted.layers)


STAGE = Stage(
    name="extract",
    run=run,
    params=Params,
    block="extract",
    inputs={"manifest": "artifacts/manifest.h5", "weights": "artifacts/weights"},
    outputs={"activations": "artifacts/activations"},
    check=check,
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
