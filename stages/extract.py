"""Pass every image through the network once: codes, logits, each unit's maxima and statistics, in shards."""

from collections.abc import Mapping
from pathlib import Path

from pipeline import store
from pipeline.extraction.extraction import extract
from pipeline.extraction.plan import make_recipe
from pipeline.formats.manifest import open_manifest
from pipeline.params import digest
from stages.blocks.extract import Params
from stages.command import Stage, execute


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Compute the shards that the pool lacks, link all into the output folder, write the index."""
    with open_manifest(paths["manifest"]) as manifest:
        means = params.keeps_means(len(manifest))
    made_from = {"manifest": store.digest(paths["manifest"]), "params": digest(params)}
    recipe = make_recipe(
        paths["weights"], params.layers, batch_size=params.batch_size, precision=params.precision,
        statistics=params.statistics, means=means,
    )  # fmt: skip
    extract(
        paths["manifest"], recipe, paths["activations"], made_from, shard_mean=params.shards.mean,
        shard_largest=params.shards.largest, candidates=params.candidates,
    )  # fmt: skip


STAGE = Stage(
    name="extract",
    run=run,
    params=Params,
    block="extract",
    inputs={"manifest": "artifacts/manifest.h5", "weights": "artifacts/weights"},
    outputs={"activations": "artifacts/activations"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
