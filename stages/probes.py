"""Choose the images that every analysis of single images is shown on, once for all of them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import store
from pipeline.analyses.probes import RIGHT, UNKNOWN, WRONG, Wanted, draw
from pipeline.dataset.as_seen import read_as_seen
from pipeline.errors import UserError
from pipeline.formats.manifest import ManifestFile, open_manifest
from pipeline.formats.predictions import Evaluated, read_predictions
from pipeline.formats.probes import VERSION, Probes, write_probes
from pipeline.formats.status import not_run
from pipeline.formats.weights import read_description
from pipeline.params import digest
from pipeline.store.metrics import write_metrics
from stages.blocks.probes import Params
from stages.command import Stage, execute
from stages.leaving import leave

Ids = NDArray[np.int64]


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/probes.h5` and its metrics.

    Raises
    ------
    UserError
        An image that the params name is not there, or none can be read.
    """
    made_from = {"params": digest(params)}
    if not params.run:
        leave(not_run("probes"), paths, stage="probes", version=VERSION, made_from=made_from)
        return
    description = read_description(paths["weights"])
    made_from |= {name: store.digest(paths[name]) for name in ("manifest", "predictions")}
    made_from["weights"] = description.digest
    evaluated = read_predictions(paths["predictions"])
    with open_manifest(paths["manifest"]) as manifest:
        named = _named(params, manifest, evaluated.image_id)
        drawn = _drawn(params, manifest, evaluated, named)
        chosen = _described(np.concatenate([named, drawn]), len(named), manifest, evaluated)
        kept, pictures = read_as_seen(manifest, chosen.image_id, description.preprocessing, stage="probes")
    probes = chosen.take(kept)
    write_probes(paths["out"], probes, pictures, made_from=made_from)
    write_metrics(paths["metrics"], _numbers(probes))


def _named(params: Params, manifest: ManifestFile, predicted: Ids) -> Ids:
    """Return the images that the params name, in their order, each once."""
    params.check_ids(len(manifest))
    found = [*params.ids, *_ids_of(params, manifest)]
    for image_id in found:
        if image_id not in predicted:
            raise UserError(
                f"probes: the network has not seen image {image_id}, which could not be read; take it out of "
                "probes.ids and probes.paths"
            )
    return np.array(list(dict.fromkeys(found)), np.int64)


def _ids_of(params: Params, manifest: ManifestFile) -> list[int]:
    """Return the rows of the paths that the params name."""
    if not params.paths:
        return []
    listed = manifest.path()
    params.check_paths(listed)
    rows = {path: row for row, path in enumerate(listed)}
    return [rows[path] for path in params.paths]


def _drawn(params: Params, manifest: ManifestFile, evaluated: Evaluated, named: Ids) -> Ids:
    """Draw further images, of the held-out split where there is one."""
    rows = np.flatnonzero(~np.isin(evaluated.image_id, named))
    if evaluated.held_out:
        split = np.array(manifest.split(), np.str_)[evaluated.image_id[rows]]
        rows = rows[split == evaluated.held_out]
    label, predicted = evaluated.label[rows].astype(np.int64), evaluated.predicted[rows]
    # Without a label, what the network takes it for says what an image is like.
    group = np.where(label >= 0, label, len(evaluated.output_name) + predicted)
    verdict = np.where(label < 0, UNKNOWN, np.where(label == predicted, RIGHT, WRONG)).astype(np.int8)
    wanted = Wanted(params.right, params.wrong, params.least - len(named), params.most - len(named))
    return evaluated.image_id[rows[draw(group, verdict, wanted, params.seed)]]


def _described(image_id: Ids, named: int, manifest: ManifestFile, evaluated: Evaluated) -> Probes:
    rows = np.searchsorted(evaluated.image_id, image_id)
    paths = manifest.take_path(image_id).tolist()
    split = manifest.split()
    return Probes(
        image_id,
        path=tuple(path.decode() for path in paths),
        split=tuple(split[row] for row in image_id.tolist()),
        label=evaluated.label[rows],
        predicted=evaluated.predicted[rows],
        probability=evaluated.probability[rows],
        named=np.arange(len(image_id)) < named,
        held_out=evaluated.held_out,
    )


def _numbers(probes: Probes) -> dict[str, int]:
    return {
        "images": len(probes),
        "named": int(probes.named.sum()),
        "right": int(probes.right.sum()),
        "wrong": int(probes.wrong.sum()),
        "classes": len(np.unique(probes.label[probes.label >= 0])),
    }


STAGE = Stage(
    name="probes",
    run=run,
    params=Params,
    block="probes",
    inputs={
        "predictions": "artifacts/predictions.h5",
        "manifest": "artifacts/manifest.h5",
        "weights": "artifacts/weights",
    },
    outputs={"out": "artifacts/probes.h5", "metrics": "metrics/probes.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
