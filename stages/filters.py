"""Look at the filters: weights, how good they are, and how those of the first layer look."""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline import store
from pipeline.analyses.filters.looks import colourfulness, frequency, separation
from pipeline.analyses.filters.quality import is_like_noise, quality
from pipeline.formats.filters import AT_START, VERSION, About, FilterLayer, FiltersWriter, Looks, new_filters
from pipeline.formats.status import Status, not_run
from pipeline.formats.weights import Description, read_description
from pipeline.images.preprocess import Preprocessing
from pipeline.layers.weighted import Weighted, turned, weight_of, weighted_layers
from pipeline.model.network import load_network
from pipeline.numerics.smoothness import filter_smoothness
from pipeline.params import digest
from pipeline.progress import progress
from pipeline.store.metrics import write_metrics
from pipeline.weights.checkpoints import fit_state, read_checkpoint
from pipeline.weights.saved import saved_checkpoints
from stages.blocks.filters import Params
from stages.command import Stage, execute
from stages.leaving import leave

# Of the network before training, where it was trained here and this checkpoint is kept.
START = Path("checkpoints") / "epoch-0000.safetensors"
COLOURS = 3
NO_FILTERS = (
    "The network has no convolution and no dense layer that is a module, so it has no filters to show."
)


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/filters.h5` and its metrics.

    Raises
    ------
    UserError
        The checkpoint of before training cannot be read or does not fit the network.
    """
    made_from = {"params": digest(params)}
    if not params.run:
        leave(not_run("filters"), paths, stage="filters", version=VERSION, made_from=made_from)
        return
    description = read_description(paths["weights"])
    made_from["weights"] = description.digest
    start = _start(description, paths)
    if start is not None and description.training is None:
        made_from["start"] = store.digest(start)
    # The last bits must not depend on the number of cores.
    torch.set_num_threads(1)
    network = load_network(paths["weights"])
    layers = _layers(network, description)
    if not layers:
        leave(
            Status("not applicable", NO_FILTERS), paths, stage="filters", version=VERSION, made_from=made_from
        )
        return
    about = About(
        tuple(layer.name for layer in layers), _first(layers, network, description.preprocessing),
        start.stem if start else "", params.noise_smoothness, params.noise_evenness,
    )  # fmt: skip
    with new_filters(paths["out"], about, made_from=made_from) as writer:
        before = _with(network, start) if start else None
        numbers = _write(writer, layers, (network, before), about, params)
    write_metrics(paths["metrics"], numbers)


def _write(
    writer: FiltersWriter,
    layers: Sequence[Weighted],
    networks: tuple[nn.Module, nn.Module | None],
    about: About,
    params: Params,
) -> dict[str, float | int]:
    """Measure and write layer by layer, of the network now and before training; return the metrics."""
    found, looks = [], None
    with progress("measuring", total=len(layers), unit="layers") as bar:
        for layer in layers:
            weight = _array(networks[0], layer)
            measured = _measured(layer, weight, networks[1], params, _signs(networks[0], layer, len(weight)))
            writer.put_layer(layer.name, measured, weight[measured.unit])
            if layer.name == about.first:
                shape = layer.input_map or weight.shape[1:]
                looks = _looks(weight.reshape(len(weight), *shape), measured.norm, params)
                writer.put_looks(layer.name, looks)
            found.append(measured)
            bar.advance()
    return _numbers(found, looks)


def _start(description: Description, paths: Mapping[str, Path]) -> Path | None:
    """Return the checkpoint of the network before training; None where there is none."""
    if description.training is not None:
        kept = paths["weights"] / START
        return kept if kept.is_file() else None
    given = saved_checkpoints(paths["weights"], paths["given"], trained_here=False)
    return next((one.path for one in given if one.epoch == 0), None)


def _with(network: nn.Module, checkpoint: Path) -> nn.Module:
    """Return the network with the weights of a checkpoint."""
    # Its own tensors are mapped from its file.
    other = copy.deepcopy(network)
    fit_state(other, read_checkpoint(checkpoint), str(checkpoint))
    return other


def _first(layers: Sequence[Weighted], network: nn.Module, preprocessing: Preprocessing) -> str:
    """Return the layer that reads the image as it is, empty where there is none."""
    first, channels = layers[0], preprocessing.channels
    if first.kind == "dense":
        return first.name if first.input_map == (channels, *preprocessing.input_size) else ""
    return first.name if weight_of(network, first).shape[1] * first.groups == channels else ""


def _array(network: nn.Module, layer: Weighted) -> NDArray[np.float32]:
    """Return a layer's weights, (units, channels, y, x)."""
    weight = weight_of(network, layer).float().cpu().numpy()
    return weight if weight.ndim == 4 else weight[:, :, None, None]


def _signs(network: nn.Module, layer: Weighted, units: int) -> dict[str, NDArray[np.bool_]]:
    """Return by layer of units which of them normalisation turns."""
    return {name: turned(network, norms, units).numpy() for name, norms in layer.units_of.items()}


def _measured(
    layer: Weighted,
    weight: NDArray[np.float32],
    start: nn.Module | None,
    params: Params,
    signs: Mapping[str, NDArray[np.bool_]],
) -> FilterLayer:
    units, channels, height, width = weight.shape
    unit = _kept(layer, units, channels, params.dense_weights)
    # Cosines of all filters of a large dense layer would take longer than all else.
    now = quality(weight[unit], groups=layer.groups, seed=params.seed)
    before = start and quality(_array(start, layer)[unit], groups=layer.groups, seed=params.seed)
    like_noise = is_like_noise(now, smoothness=params.noise_smoothness, evenness=params.noise_evenness)
    return FilterLayer(
        layer.kind, units, channels, (height, width), layer.groups, layer.input_map, now, before or None,
        like_noise, signs, filter_smoothness(weight).astype(np.float32),
        np.linalg.norm(weight.reshape(units, -1), axis=1), unit,
    )  # fmt: skip


def _kept(layer: Weighted, units: int, inputs: int, most: int) -> NDArray[np.int64]:
    """Return the filters whose weights are kept: all of a convolution, of a large dense layer some."""
    count = units if layer.kind == "conv" else min(units, most // max(inputs, 1))
    return np.arange(count, dtype=np.int64) * units // max(count, 1)


def _looks(weight: NDArray[np.float32], norm: NDArray[np.float32], params: Params) -> Looks:
    frequencies = frequency(weight)
    if weight.shape[1] != COLOURS:
        return Looks(frequencies)
    colour = colourfulness(weight)
    split = separation(colour, frequencies, norm, permutations=params.permutations, seed=params.seed)
    return Looks(frequencies, colour, split)


def _numbers(layers: Sequence[FilterLayer], looks: Looks | None) -> dict[str, float | int]:
    """Return the metrics: means over the layers that have a measure."""
    numbers: dict[str, float | int] = {
        "layers": len(layers),
        "layers_like_noise": sum(layer.like_noise is True for layer in layers),
    }
    before = [layer.at_start for layer in layers if layer.at_start]
    for prefix, found in (("", [layer.quality for layer in layers]), (AT_START, before)):
        for name in ("sparsity", "variance_entropy", "orthogonality", "smoothness"):
            values = [value for one in found if (value := getattr(one, name)) is not None]
            numbers |= {prefix + name: float(np.mean(values))} if values else {}
    if looks and looks.separation:
        numbers |= {"grey_finer": looks.separation.share, "grey_finer_p": looks.separation.p}
    return numbers


def _layers(network: nn.Module, description: Description) -> tuple[Weighted, ...]:
    seen = description.preprocessing
    return weighted_layers(network, seen.input_size, seen.channels)


STAGE = Stage(
    name="filters",
    run=run,
    params=Params,
    block="filters",
    inputs={"weights": "artifacts/weights", "given": "inputs/checkpoints"},
    outputs={"out": "artifacts/filters.h5", "metrics": "metrics/filters.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
