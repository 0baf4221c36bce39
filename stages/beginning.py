"""How stages begin that show the probes to the network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from pipeline import store
from pipeline.formats.probes import Probes, read_probes
from pipeline.formats.status import Status, not_run
from pipeline.formats.weights import read_description
from pipeline.images.preprocess import Preprocessing
from pipeline.params import OptionalBlock, digest
from stages.leaving import leave


@dataclass(frozen=True)
class Begun:
    """The probes, how the network is given them, and what the stage's artifact is made from."""

    probes: Probes
    preprocessing: Preprocessing
    made_from: Mapping[str, str]


def begin(
    params: OptionalBlock,
    paths: Mapping[str, Path],
    *,
    stage: str,
    version: int,
    read: Sequence[str] = ("probes",),
) -> Begun | None:
    """Read the probes; where there are none, leave the reason in the stage's artifact and return None.

    Parameters
    ----------
    params
        The stage's block.
    paths
        To `probes`, `weights`, and what `leave` needs.
    stage, version
        The stage's name, which is its block's too, and the version of its format.
    read
        The artifacts that the stage's own is made from, besides the weights.
    """
    made_from = {"params": digest(params)}
    probes = read_probes(paths["probes"]) if params.run else not_run(stage)
    if isinstance(probes, Status):
        leave(probes, paths, stage=stage, version=version, made_from=made_from)
        return None
    # The last bits must not depend on the number of cores.
    torch.set_num_threads(1)
    description = read_description(paths["weights"])
    made_from |= {name: store.digest(paths[name]) for name in read} | {"weights": description.digest}
    return Begun(probes, description.preprocessing, made_from)
