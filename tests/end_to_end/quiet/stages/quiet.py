"""Count on how many images each unit stays quiet."""

from collections.abc import Mapping
from pathlib import Path

from pipeline import store
from pipeline.analyses.quiet import quiet_shares
from pipeline.formats.activations import open_activations
from pipeline.formats.quiet import VERSION, Quiet, write_quiet
from pipeline.formats.status import not_run, write_status
from pipeline.params import digest
from stages.blocks.quiet import Params
from stages.command import Stage, execute


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Read the maxima layer by layer and write `artifacts/quiet.h5`."""
    made_from = {"params": digest(params)}
    if not params.run:
        write_status(paths["out"], not_run("quiet"), stage="quiet", version=VERSION, made_from=made_from)
        return
    activations = open_activations(paths["activations"])
    made_from["activations"] = store.digest(paths["activations"] / "index.h5")
    shares = {
        layer: quiet_shares((shard.maxima(layer)[0] for shard in activations.shards()), params.level)
        for layer in activations.layers
    }
    write_quiet(paths["out"], Quiet(params.level, shares), made_from=made_from)


STAGE = Stage(
    name="quiet",
    run=run,
    params=Params,
    block="quiet",
    inputs={"activations": "artifacts/activations"},
    outputs={"out": "artifacts/quiet.h5"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
