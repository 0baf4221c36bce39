"""The linear probe of a layer that separability fitted, on the codes of the images that it held out."""

from __future__ import annotations

import numpy as np

from pipeline.analyses.fooling.breaking import LENGTHS, break_codes
from pipeline.analyses.fooling.linear import Classifier
from pipeline.formats.activations import Activations
from pipeline.formats.fooling import Codes
from pipeline.formats.separability import KINDS, Separability


def break_held_out(found: Separability, activations: Activations, seed: int) -> tuple[str, str, Codes | None]:
    """Break the probe of the codes, or where these have none, of the last layer that has one.

    Returns
    -------
    layer, kind, codes
        Of separability.h5; empty, and None, where no code is other than zero.
    """
    layer = activations.code_layer if activations.code_layer in found.layers else found.layers[-1]
    kind = KINDS[0] if activations.has_means and KINDS[0] in found.kinds else KINDS[1]
    probe, parts, ids = found.probes[layer, kind], [], []
    for shard in activations.shards():
        rows = np.isin(shard.image_id, found.sample.held_out)
        values = shard.means(layer) if kind == KINDS[0] else shard.maxima(layer)[0]
        parts.append(values[rows])
        ids.append(shard.image_id[rows])
    values = np.concatenate(parts)
    used = np.linalg.norm(values, axis=1) > 0
    if not used.any():
        return "", "", None
    broken = break_codes(Classifier(probe.weight, probe.intercept), values[used], seed)
    codes = Codes(
        np.concatenate(ids)[used], broken.predicted, broken.target, broken.fraction, broken.share,
        LENGTHS, broken.along.astype(np.uint8), broken.random.astype(np.uint8),
    )  # fmt: skip
    return layer, kind, codes
