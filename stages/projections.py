"""Send the answers of drawn units back to the pixels of the images that excite them most."""

import hashlib
import logging
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline import store
from pipeline.analyses.projections.comparison import compare
from pipeline.analyses.projections.cuts import Cut, cut
from pipeline.analyses.projections.signals import Neurons, Signals, project
from pipeline.analyses.projections.units import Place, assembled
from pipeline.dataset.originals import originals
from pipeline.errors import UserError
from pipeline.formats.activations import INPUT
from pipeline.formats.manifest import ManifestFile, open_manifest
from pipeline.formats.patches import DrawnLayer, PatchesFile, open_patches
from pipeline.formats.projections import (
    VERSION,
    ProjectedLayer,
    ProjectedUnit,
    new_projections,
)
from pipeline.formats.status import Status, not_run
from pipeline.formats.weights import read_description
from pipeline.images.preprocess import Preprocessing
from pipeline.images.way_back import filled
from pipeline.layers.batches import Batches
from pipeline.layers.choosing import choose_layers
from pipeline.layers.layers import describe_layers
from pipeline.layers.rules import NoRuleError, Rule, raised
from pipeline.layers.running import Runner
from pipeline.model.device import choose_device, place_network
from pipeline.model.network import load_network
from pipeline.numerics.geometry import Pair
from pipeline.numerics.spreading import even_places, evenly_spread
from pipeline.parallel.forks import map_forked
from pipeline.parallel.processes import count_workers
from pipeline.params import digest
from pipeline.progress import Bar, progress
from pipeline.store.metrics import write_metrics
from pipeline.topk.boxes import input_boxes
from stages.blocks.projections import MOST_LAYERS, Params
from stages.command import Stage, execute
from stages.leaving import leave

log = logging.getLogger(__name__)


class Images:
    """The images of a manifest, as the network sees them."""

    def __init__(self, manifest: ManifestFile, preprocessing: Preprocessing, batch_size: int) -> None:
        self.preprocessing = preprocessing
        self._manifest, self._batch_size = manifest, batch_size
        self._width, self._height = manifest.size()

    def batches(self, image_id: NDArray[np.int64]) -> Batches:
        """Find some of them; -1 is none."""
        images = originals(self._manifest, image_id[image_id >= 0])
        return Batches(images, self.preprocessing, self._batch_size, threads=count_workers())

    def filled(self, image_id: int) -> tuple[float, float, float, float]:
        """Return where in the network's input an image lies."""
        return filled(int(self._width[image_id]), int(self._height[image_id]), self.preprocessing)


@dataclass(frozen=True)
class Projector:
    """Projects units of one layer.

    Attributes
    ----------
    name, drawn
        The layer.
    source
        The layer that signals begin in: where images are ranked by what enters a layer, the one before.
    runner
        Runs the network up to there.
    images, params
        What is projected onto, and what is asked for.
    """

    name: str
    drawn: DrawnLayer
    source: str
    runner: Runner
    images: Images
    params: Params

    @property
    def rows(self) -> NDArray[np.intp]:
        """Which of the layer's drawn units are projected: of the active ones a sample spread over them."""
        active = np.flatnonzero((self.drawn.image_id >= 0).any(1))
        return active[even_places(len(active), self.params.units)]

    def images_of(self, row: int) -> Batches:
        """Find the images of a row."""
        return self.images.batches(self._ids(row))

    def _ids(self, row: int) -> NDArray[np.int64]:
        return self.drawn.image_id[row, : self.params.k]

    def unit(self, row: int, batches: Batches) -> ProjectedUnit:
        """Project the unit of a row on its images."""
        unit, ids = int(self.drawn.unit[row]), self._ids(row)
        found: dict[int, Place] = {}
        for batch in batches:
            places = [int(np.flatnonzero(ids == image_id)[0]) for image_id in batch.image_id]
            position = self.drawn.position[row, places].astype(np.int64)
            neurons = Neurons(self.source, np.full(len(places), unit), position)
            lots = _Lots(f"{self.params.seed}/{self.name}/{unit}", batch.image_id)
            signals = project(self.runner, batch.inputs, neurons, self.params.methods, lots.draw)
            for number, place in enumerate(places):
                found[place] = self._place(signals, number, position[number], int(ids[place]))
        for image_id, error in batches.skipped:
            log.warning("image %d cannot be read any more: %s", image_id, error)
        geometry, channels = self.drawn.geometry, self.images.preprocessing.channels
        placed = not geometry.receptive_field.is_whole or geometry.map_size == (1, 1)
        shape = (self._side, self._side, channels)
        return assembled(ids, found, self.params.methods, shape, placed=placed)

    def _place(self, found: Signals, number: int, position: NDArray[np.int64], image_id: int) -> Place:
        """Cut the signals of one image of a batch to what the neuron sees."""
        field, seen = self.drawn.geometry.receptive_field, self.images.filled(image_id)
        box = input_boxes(position, field, self.images.preprocessing.input_size)

        def cuts(maps: Mapping[Rule, NDArray[np.float32]]) -> dict[str, Cut]:
            return {method: cut(signal[number], box, seen) for method, signal in maps.items()}

        return Place(cuts(found.own), cuts(found.others), int(found.other[number]))

    @property
    def _side(self) -> int:
        field, size = self.drawn.geometry.receptive_field, self.images.preprocessing.input_size
        return min(self.params.side, max(map(min, field.size, size)))


@dataclass(frozen=True)
class _Lots:
    """Draws by a hash of what is drawn for, so that the choice depends on nothing else."""

    key: str
    image_id: list[int]

    def draw(self, place: int, count: int) -> int:
        lot = hashlib.sha256(f"{self.key}/{self.image_id[place]}".encode()).digest()
        return int.from_bytes(lot[:8], "big") % count


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/projections.h5` and its metrics.

    Raises
    ------
    UserError
        No image can be read, or a layer is not there.
    """
    made_from = {"params": digest(params)}
    if not params.run:
        leave(not_run("projections"), paths, stage="projections", version=VERSION, made_from=made_from)
        return
    description = read_description(paths["weights"])
    made_from |= {name: store.digest(paths[name]) for name in ("manifest", "patches")}
    made_from["weights"] = description.digest
    with open_manifest(paths["manifest"]) as manifest, open_patches(paths["patches"]) as patches:
        images = Images(manifest, description.preprocessing, params.batch_size)
        projectors = _projectors(params, paths["weights"], patches, images)
        refused = _project(projectors, params, paths, made_from)
    if len(refused) == len(projectors):
        reason = f"no layer has projections: {next(iter(refused.values()))}"
        leave(
            Status("not applicable", reason), paths, stage="projections", version=VERSION, made_from=made_from
        )


def _projectors(params: Params, weights: Path, patches: PatchesFile, images: Images) -> list[Projector]:
    """Choose the layers, and prepare the network for each."""
    drawn, size = patches.about.layers, images.preprocessing.input_size
    if params.layers == "auto":
        names = evenly_spread(drawn, MOST_LAYERS)
    else:
        names = choose_layers(params.layers, drawn, "projections.layers")
    network = place_network(load_network(weights), choose_device())
    before = _before(network, size, images.preprocessing.channels)
    projectors = []
    for name in names:
        layer = patches.layer(name)
        source = before[name] if layer.ranked_by == INPUT else name
        assert source is not None, "ranked by the input of a layer that has none"
        runner = Runner(network, [source], until=source)
        projectors.append(Projector(name, layer, source, runner, images, params))
    return projectors


def _before(network: torch.nn.Module, size: Pair, channels: int) -> dict[str, str | None]:
    return {layer.name: layer.before for layer in describe_layers(network, size, channels)}


def _project(
    projectors: list[Projector], params: Params, paths: Mapping[str, Path], made_from: Mapping[str, str]
) -> dict[str, str]:
    """Write the projections of all layers; return why layers have none."""
    # The last bits must not depend on the number of cores.
    torch.set_num_threads(1)
    units = sum(len(projector.rows) for projector in projectors)
    places = min(params.k, max((projector.drawn.image_id.shape[1] for projector in projectors), default=0))
    _announce(units, places, params)
    layers: list[ProjectedLayer] = []
    refused: dict[str, str] = {}
    with (
        new_projections(paths["out"], made_from=made_from) as writer,
        progress("projecting", total=units, unit="units") as bar,
    ):
        found = _projected(projectors, bar)
        for projector in projectors:
            rows = projector.rows
            if not len(rows):
                refused[projector.name] = "none of its drawn units is active on any image"
                continue
            own = islice(found, len(rows))
            try:
                layers.append(writer.put_layer(projector.name, projector.drawn.unit[rows], raised(own)))
            except NoRuleError as error:
                refused[projector.name] = str(error)
                # The rest of this layer's, which the next would take for its own.
                deque(own, maxlen=0)
        writer.put_about(params.methods, places, refused)
        comparison: dict[str, NDArray[np.float64]] = {
            method: _compared(layers, method, params.seed) for method in params.methods
        }
        for method, values in comparison.items():
            writer.put_comparison(method, values)
    write_metrics(paths["metrics"], _totals(layers, comparison, len(refused)))
    return refused


def _projected(projectors: Sequence[Projector], bar: Bar) -> Iterator[ProjectedUnit | NoRuleError]:
    """Yield the projections of the units of layer after layer."""

    def of(job: tuple[Projector, int, Batches]) -> ProjectedUnit | NoRuleError:
        projector, row, batches = job
        try:
            return projector.unit(row, batches)
        except NoRuleError as error:
            return error

    # The manifest is read here: an open file is not to be shared with forks.
    jobs = [(one, row, one.images_of(row)) for one in projectors for row in one.rows.tolist()]
    here = any(one.runner.is_on_gpu for one in projectors)
    # A signal that begins further up keeps more maps.
    for found in map_forked(of, jobs, trial=lambda: of(jobs[-1]), here=here):
        yield found
        bar.advance()


def _announce(units: int, places: int, params: Params) -> None:
    log.info(
        "%d units, %d images each at most: %d images to forward, %d signals to send back",
        units, places, units * places, units * places * 2 * len(params.methods),
    )  # fmt: skip


def _compared(layers: list[ProjectedLayer], method: str, seed: int) -> NDArray[np.float64]:
    """Compare the projections of each layer, then of all: as in `pipeline.formats.projections.About`."""
    random = np.random.default_rng(seed)
    alike, across = ([getattr(layer, kind)[method] for layer in layers] for kind in ("alike", "across"))
    if not layers:
        return np.empty((0, 3, 3))
    pairs = zip([*alike, np.concatenate(alike)], [*across, np.concatenate(across)], strict=True)
    return np.stack([compare(*pair, random) for pair in pairs])


def _totals(
    layers: list[ProjectedLayer], comparison: Mapping[str, NDArray[np.float64]], refused: int
) -> dict[str, float]:
    """Count, and say how alike projections are over all layers.

    Raises
    ------
    UserError
        There are layers, but no image of theirs could be read.
    """
    projections = sum(int((layer.image_id >= 0).sum()) for layer in layers)
    if layers and not projections:
        raise UserError("projections: no image can be read any more; run the manifest stage again")
    totals: dict[str, float] = {
        "layers": len(layers), "layers_refused": refused,
        "units": sum(len(layer.unit) for layer in layers), "projections": projections,
    }  # fmt: skip
    for method, values in comparison.items():
        named = zip(("alike", "across", "difference"), values[-1:, :, 0].ravel().tolist(), strict=False)
        totals |= {f"{method}_{name}": value for name, value in named if not np.isnan(value)}
    return totals


STAGE = Stage(
    name="projections",
    run=run,
    params=Params,
    block="projections",
    inputs={
        "patches": "artifacts/patches.h5",
        "manifest": "artifacts/manifest.h5",
        "weights": "artifacts/weights",
    },
    outputs={"out": "artifacts/projections.h5", "metrics": "metrics/projections.json"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
