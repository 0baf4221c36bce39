"""Write the dataset that the params name, as class folders; of letters also a CSV of what was drawn."""

import logging
from collections.abc import Mapping
from pathlib import Path

from pipeline.dataset.samples import write_sample
from stages.blocks.sample import Params
from stages.command import Stage, execute

log = logging.getLogger(__name__)


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write the dataset to its folder under `data`."""
    folder = paths["data"] / params.dataset
    log.info("%s: %d images", folder, write_sample(params.dataset, folder))


STAGE = Stage(name="sample", run=run, params=Params, block="sample", outputs={"data": "data"})

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
