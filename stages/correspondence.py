"""Find places of the probes again in known warps of them, by the vectors of some layers."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from torch import nn

from pipeline.analyses.correspondence.choosing import Chosen, placed_layers
from pipeline.analyses.correspondence.following import (
    Followed,
    ask,
    follow,
    follow_patches,
    grids,
    measured,
)
from pipeline.analyses.correspondence.grids import Grid, patch_sides
from pipeline.analyses.correspondence.matching import Matches
from pipeline.analyses.correspondence.summary import Summary
from pipeline.analyses.correspondence.warps import Ranges
from pipeline.formats.correspondence import (
    ALL,
    VERSION,
    About,
    Matched,
    PlacedLayer,
    Views,
    new_correspondence,
)
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.probes import read_pictures
from pipeline.formats.status import Status
from pipeline.images.network_input import normalise
from pipeline.images.preprocess import Preprocessing
from pipeline.layers.layers import code_layer, describe_layers
from pipeline.layers.running import Runner
from pipeline.model.device import choose_device, place_network
from pipeline.model.network import load_network
from pipeline.model.random_weights import with_random_weights
from pipeline.numerics.geometry import ReceptiveField
from pipeline.parallel.forks import map_forked
from pipeline.progress import progress
from pipeline.receptive_field.fields import receptive_fields
from pipeline.store.metrics import write_metrics
from stages.beginning import begin
from stages.blocks.correspondence import Params
from stages.command import Stage, execute
from stages.leaving import leave

log = logging.getLogger(__name__)

NO_PLACE = Status(
    "not applicable",
    "no layer that was asked for has a map whose neurons each look at a place of their own",
)


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/correspondence.h5` and its metrics.

    Raises
    ------
    UserError
        A layer is not there.
    """
    begun = begin(params, paths, stage="correspondence", version=VERSION)
    if begun is None:
        return
    preprocessing = begun.preprocessing
    network = load_network(paths["weights"])
    layers = _Layers.of(network, preprocessing, params)
    if not layers.chosen.layers:
        leave(NO_PLACE, paths, stage="correspondence", version=VERSION, made_from=begun.made_from)
        return
    image_id = begun.probes.image_id[: params.probes]
    views, images = _views(image_id, read_pictures(paths["probes"]), preprocessing, params)
    matches = _matches(network, layers, images, params)
    sides = patch_sides(params.patches, preprocessing.input_size)
    plain = {side: follow_patches(side, images) for side in sides}
    summary = Summary(len(images), params.repeats, params.seed)
    about = _about(layers.chosen, tuple(plain), preprocessing, params)
    found = _placed(layers, matches, plain, images, summary)
    matched = {side: summary.matched(one) for side, one in plain.items()}
    with new_correspondence(paths["out"], about, views, made_from=begun.made_from) as writer:
        for name, layer in found.items():
            writer.put_layer(name, layer)
        for side, one in matched.items():
            writer.put_patches(side, one)
    write_metrics(paths["metrics"], _numbers(found, matched, len(images)))


@dataclass(frozen=True)
class _Layers:
    """The layers that are compared, what their neurons see but for gates, and where they look."""

    chosen: Chosen
    fields: Mapping[str, ReceptiveField]
    grids: Mapping[str, Grid]

    @classmethod
    def of(cls, network: nn.Module, preprocessing: Preprocessing, params: Params) -> Self:
        size, channels = preprocessing.input_size, preprocessing.channels
        known = receptive_fields(network, size, channels, gates=False)
        code = code_layer(network, size, channels)
        described = describe_layers(network, size, channels)
        chosen = placed_layers(described, code, params.layers, params.most, known)
        return cls(chosen, known, grids(chosen.layers, known, size))


def _views(
    image_id: NDArray[np.int64], pictures: NDArray[np.uint8], preprocessing: Preprocessing, params: Params
) -> tuple[Views, list[Followed]]:
    """Warp the probes; return what is kept of the warps, and the images to follow."""
    ranges = Ranges(params.rotation, params.scale, params.translation)
    size, counts = preprocessing.input_size, (params.warps, params.points)
    fill = np.rint(255 * np.array(preprocessing.mean)).astype(np.uint8)
    images, warped = [], []
    for one, picture in zip(image_id.tolist(), pictures[: params.probes], strict=True):
        asked = ask(ranges, size, counts, params.right * max(size), (params.seed, one))
        warped.append(np.stack([each.warp.picture(picture, fill) for each in asked]))
        inputs = normalise(np.concatenate([picture[None], warped[-1]]), preprocessing)
        images.append(Followed(inputs, asked))
    matrices = np.stack([[each.warp.matrix for each in image.asked] for image in images])
    point, true = (
        np.concatenate([getattr(each, name) for image in images for each in image.asked])
        for name in ("points", "true")
    )
    return Views(image_id, matrices, np.stack(warped), point, true), images


def _matches(
    network: nn.Module, layers: _Layers, images: Sequence[Followed], params: Params
) -> list[dict[str, Matches]]:
    """Follow the images through networks of its kind with random weights, and through the network."""
    device, last = choose_device(), layers.chosen.layers[-1].name
    # The network itself last: it moves to the device, and the others are drawn on the CPU.
    seeds = [*range(params.seed, params.seed + params.random_networks), None]
    log.info(
        "%d images with %d warps each, forwarded through %d networks up to %s: %d images in all",
        len(images), params.warps, len(seeds), last, len(images) * (params.warps + 1) * len(seeds),
    )  # fmt: skip
    following, found = partial(_follow, network, device, layers), []
    trial = partial(following, images[:1], params.seed)
    with progress("matching", total=len(seeds), unit="networks") as bar:
        for one in map_forked(partial(following, images), seeds, trial=trial, here=device != "cpu"):
            found.append(one)
            bar.advance()
    return found


def _follow(
    network: nn.Module, device: str, layers: _Layers, images: Sequence[Followed], seed: int | None
) -> dict[str, Matches]:
    """Follow images through a network with random weights, or without a seed through the network."""
    drawn = network if seed is None else with_random_weights(network, seed)
    runner = Runner(place_network(drawn, device), layers.grids, until=layers.chosen.layers[-1].name)
    return follow(runner, layers.grids, images)


def _placed(
    layers: _Layers,
    matches: Sequence[Mapping[str, Matches]],
    plain: Mapping[int, Matches],
    images: Sequence[Followed],
    summary: Summary,
) -> dict[str, PlacedLayer]:
    """Sum up each layer's matches, beside what they are held against."""
    asked = [one for image in images for one in image.asked]
    staying = np.concatenate([np.linalg.norm(one.true - one.points, axis=1) <= one.radius for one in asked])
    found, (*random, own) = {}, matches
    for layer in layers.chosen.layers:
        name, field = layer.name, layers.fields[layer.name]
        held = summary.held(
            own[name], measured(layers.grids[name], images), [one[name] for one in random],
            list(plain.values()), staying,
        )  # fmt: skip
        geometry = LayerGeometry(layer.map_size, field)
        found[name] = PlacedLayer(layer.units, geometry, summary.matched(own[name]), held)
    return found


def _about(chosen: Chosen, patches: tuple[int, ...], preprocessing: Preprocessing, params: Params) -> About:
    size = preprocessing.input_size
    return About(
        tuple(layer.name for layer in chosen.layers), patches, chosen.without_place, size,
        params.right * max(size), params.right, params.rotation, params.scale, params.translation,
        params.random_networks,
    )  # fmt: skip


def _numbers(
    layers: Mapping[str, PlacedLayer], plain: Mapping[int, Matched], images: int
) -> dict[str, float | dict[str, float]]:
    """Return each layer's share of right points and its median error, beside random weights and patches."""
    return {
        "images": images,
        "pck": {name: float(layer.matched.pck[ALL, 0]) for name, layer in layers.items()},
        "median_error": {name: float(layer.matched.median[ALL, 0]) for name, layer in layers.items()},
        "random_pck": {name: float(layer.held.random_pck[0]) for name, layer in layers.items()},
        "patches_pck": {str(side): float(matched.pck[ALL, 0]) for side, matched in plain.items()},
    }


STAGE = Stage(
    name="correspondence",
    run=run,
    params=Params,
    block="correspondence",
    inputs={"probes": "artifacts/probes.h5", "weights": "artifacts/weights"},
    outputs={"out": "artifacts/correspondence.h5", "metrics": "metrics/correspondence.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
