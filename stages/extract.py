"""Pass every image through the network once: codes, logits, each unit's maxima and statistics, in shards."""

from collections.abc import Mapping
from pathlib import Path

from pipeline import store
from pipeline.extraction.extraction import Wanted, extract
from pipeline.params import digest
from stages.blocks.extract import Params
from stages.command import Stage, execute


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
