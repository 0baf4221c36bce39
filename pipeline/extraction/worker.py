"""What a worker does in the pass over the images: one shard, from its `ShardJob`.

A shard's bytes depend on its images and on the `Recipe` alone: batches have a fixed composition, the network
runs in one thread, and no global row number is stored.
"""

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from distributed import get_worker

from pipeline import store
from pipeline.dataset.dataset import Dataset, open_dataset
from pipeline.errors import UserError
from pipeline.extraction.reduction import Kept, Reduced, Reducer, merge
from pipeline.formats.weights import read_description
from pipeline.images.decoding import ImageError, decode, decode_guarded
from pipeline.images.network_input import normalise, prepare
from pipeline.images.preprocess import Preprocessing
from pipeline.model.network import load_network
from pipeline.parallel.threads import ordered

DEVICE_VARIABLE = "CONVATLAS_DEVICE"
# The modules whose source decides the bytes of a shard, and those that are imported on the way but decide
# nothing in it (errors, parameters, the geometry of receptive fields, which is in the index). A test compares
# both with what this module imports.
SOURCES = (
    "dataset.dataset",
    "dataset.names",
    "dataset.tars",
    "extraction.reduction",
    "extraction.worker",
    "images.decoding",
    "images.image_file",
    "images.network_input",
    "images.preprocess",
    "layers.hooks",
    "layers.layers",
    "layers.observer",
    "model.architectures",
    "model.network",
    "model.tensors",
    "parallel.threads",
    "receptive_field.tracing",
    "store.artifact",
    "store.chunks",
)
WITHOUT_EFFECT = (
    "errors",
    "formats.weights",
    "numerics.geometry",
    "layers.choosing",
    "params",
    "receptive_field.fields",
    "receptive_field.geometry",
    "receptive_field.operations",
    "receptive_field.windows",
    "store.activations",
    "store.replacing",
)
DISTRIBUTIONS = ("torch", "torchvision", "pillow", "numpy", "h5py", "isal")
# Reasons that say nothing of the image's bytes: a shard with such a gap is not what its key promises.
PASSING = ("changed", "missing", "unreadable", "timeout", "crashed")


@dataclass(frozen=True)
class Recipe:
    """All that decides a shard's bytes besides its images.

    Attributes
    ----------
    weights
        The folder that `pipeline.model.load_network` reads, absolute.
    weights_digest
        The digest in its description.
    kept
        What is kept of the forward pass.
    batch_size
        Images in a batch.
    device
        "cpu" or "cuda".
    """

    weights: Path
    weights_digest: str
    kept: Kept
    batch_size: int
    device: str

    def digest(self) -> str:
        """Return a hash of the recipe, of the source that follows it, and of the machine's arithmetic."""
        parts = (self.weights_digest, self.kept, self.batch_size, arithmetic(self.device), source_digest())
        return hashlib.sha256(repr(parts).encode()).hexdigest()


@dataclass(frozen=True)
class ShardJob:
    """Rows `start` to `stop` of a manifest, and where their shard goes; all paths absolute.

    `offsets` names some of these rows, counted from `start` and ascending; by default all of them.
    `guarded` decodes each image in a process of its own: for a shard that killed its workers.
    """

    manifest: Path
    dataset: Path
    start: int
    stop: int
    target: Path
    recipe: Recipe
    recipe_digest: str
    offsets: tuple[int, ...] | None = None
    guarded: bool = False


@dataclass(frozen=True)
class Receipt:
    """What a worker says of a shard: where it is, how many images it has and lacks, how long it took."""

    path: Path
    rows: int
    skipped: int
    seconds: float


def arithmetic(device: str) -> str:
    """Return what of this machine decides the bits of a result: its instruction set or its GPU."""
    if device == "cuda":
        return f"cuda {torch.cuda.get_device_name()} {torch.version.cuda}"
    return f"cpu {torch.backends.cpu.get_cpu_capability()}"


def choose_device() -> str:
    """Return the device that ``CONVATLAS_DEVICE`` names ("cpu", "cuda"); by default a GPU if there is one.

    Raises
    ------
    UserError
        If it names another, or a GPU where there is none.
    """
    wanted = os.environ.get(DEVICE_VARIABLE) or "auto"
    if wanted not in ("auto", "cpu", "cuda"):
        raise UserError(f"{DEVICE_VARIABLE}: must be cpu, cuda or auto, got '{wanted}'")
    available = torch.cuda.is_available()
    if wanted == "cuda" and not available:
        raise UserError(f"{DEVICE_VARIABLE}=cuda: there is no GPU that torch can use here; set it to cpu")
    return wanted if wanted != "auto" else ("cuda" if available else "cpu")


@lru_cache(maxsize=1)
def source_digest() -> str:
    """Return a hash of the modules in `SOURCES` and of the versions of what they use."""
    content = hashlib.sha256()
    for name in SOURCES:
        content.update((Path(__file__).parents[1] / f"{name.replace('.', '/')}.py").read_bytes())
    content.update(repr([(name, version(name)) for name in DISTRIBUTIONS]).encode())
    return content.hexdigest()


def compute_shard(job: ShardJob) -> Receipt:
    """Compute one shard and put it, whole, under its name in the pool.

    An image that cannot be read, or is no longer what the manifest says, is left out and listed under
    ``skipped/``; if that may pass, the shard goes under the name ``partial-…`` and is not taken for finished.
    """
    started = time.monotonic()
    torch.set_num_threads(1)
    if job.recipe.device == "cuda":
        torch.cuda.set_device(gpu_number(get_worker().name, torch.cuda.device_count()))
    engine = _engine(job.recipe)
    images = _Images(job)
    parts = [engine.run(batch) for batch in images.batches()]
    target = job.target.with_name(f"partial-{job.target.name}") if images.may_pass() else job.target
    _write_shard(target, images, parts, job)
    return Receipt(target, len(images.kept), len(images.skipped), time.monotonic() - started)


def gpu_number(worker: object, count: int) -> int:
    """Return which of the visible GPUs a worker uses: local workers are numbered, and share them out."""
    return int(str(worker)) % count if str(worker).isdecimal() else 0


@lru_cache(maxsize=1)
def _engine(recipe: Recipe) -> Reducer:
    return Reducer(load_network(recipe.weights), recipe.kept, recipe.device)


@lru_cache(maxsize=1)
def _dataset(path: Path) -> Dataset:
    return open_dataset(path)


class _Images:
    """The images of a job, read one batch after the other; keeps account of those that failed."""

    def __init__(self, job: ShardJob) -> None:
        rows = slice(job.start, job.stop)
        with store.read(job.manifest) as manifest:
            self._paths = manifest.strings("path", rows)
            self._digests = manifest.strings("sha256", rows)
        self._offsets = range(len(self._paths)) if job.offsets is None else job.offsets
        self._job = job
        self._dataset = _dataset(job.dataset)
        self._preprocessing: Preprocessing = read_description(job.recipe.weights).preprocessing
        self.kept: list[int] = []
        self.skipped: list[tuple[int, ImageError]] = []

    def batches(self) -> Iterator[np.ndarray]:
        """Yield (n, 3, h, w) float32, normalised; a batch's images are fixed by their place in the shard."""
        size, loaded = self._job.recipe.batch_size, self._loaded()
        for start in range(0, len(self._offsets), size):
            batch = self._offsets[start : start + size]
            pixels = [self._sorted(offset, next(loaded)) for offset in batch]
            readable = [image for image in pixels if image is not None]
            if readable:
                yield normalise(np.stack(readable), self._preprocessing)

    def may_pass(self) -> bool:
        """Return whether an image is missing for a reason that lies outside its bytes."""
        return any(error.reason in PASSING for _, error in self.skipped)

    def _loaded(self) -> Iterator[np.ndarray | ImageError]:
        """Yield every image in order; beside a GPU, threads decode ahead while the network runs."""
        if self._job.recipe.device != "cuda":
            return map(self._load, self._offsets)
        threads = max(1, len(os.sched_getaffinity(0)) // max(1, torch.cuda.device_count()))
        return ordered(self._load, self._offsets, threads=threads)

    def _sorted(self, offset: int, loaded: np.ndarray | ImageError) -> np.ndarray | None:
        if isinstance(loaded, ImageError):
            self.skipped.append((offset, loaded))
            return None
        self.kept.append(offset)
        return loaded

    def _load(self, offset: int) -> np.ndarray | ImageError:
        try:
            data = self._read(self._paths[offset], self._digests[offset])
            rgb = decode_guarded(data) if self._job.guarded else decode(data)
        except ImageError as error:
            return error
        return prepare(rgb, self._preprocessing)

    def _read(self, path: str, digest: str) -> bytes:
        try:
            data = self._dataset.read(path)
        except OSError as error:
            raise ImageError("changed", f"cannot be read any more: {error}") from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise ImageError("changed", "its bytes are not those that the manifest lists")
        return data


def _write_shard(path: Path, images: _Images, parts: Sequence[Reduced], job: ShardJob) -> None:
    rows, totals = merge(parts) if parts else ({}, {})
    made_from = {"weights": job.recipe.weights_digest, "recipe": job.recipe_digest}
    with store.write(path, stage="extract", made_from=made_from, versions=DISTRIBUTIONS) as file:
        # A dense layer's code is its maxima, and deflating takes long: one array, two names.
        maxima = f"maxima/{job.recipe.kept.code_layer}/value"
        twice = maxima in rows and np.array_equal(rows[maxima], rows["codes"])
        for name, values in sorted((rows | totals).items()):
            if not (twice and name == "codes"):
                file.put(name, values)
        if twice:
            file.link("codes", maxima)
        file.put("offset", np.array(images.kept, np.int64))
        file.put("skipped/offset", np.array([offset for offset, _ in images.skipped], np.int64))
        file.put_strings("skipped/reason", [error.reason for _, error in images.skipped])
        file.put_strings("skipped/message", [error.message for _, error in images.skipped])
