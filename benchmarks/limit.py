"""The limit: a hand-written loop for AlexNet alone, with nothing general in it but the deflating of chunks.

One process a core with one thread each; Pillow decodes, torch resizes bytes; the network runs in
channels_last, layer by layer, and each layer's maxima are taken in the moment that it is computed. It writes
the same arrays: codes, logits, maxima with positions, zero counts, largest pre-activations.
"""

import io
import os
import time
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import h5py
import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from PIL import Image
from torch import nn

from pipeline.store.chunks import filtered

SIDE, CROP = 256, 224
# A row of pixels at a time: NumPy's inner loop would run over three colours.
MEAN = np.tile(np.array([0.485, 0.456, 0.406], np.float32) * 255, CROP)
STD = np.tile(np.array([0.229, 0.224, 0.225], np.float32) * 255, CROP)
# One thread a process. Large arrays from the heap, which is not given back: else each batch faults its pages
# in again, a twentieth of the time.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1", "MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "2147483647",
}  # fmt: skip
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Part:
    """What one process does: its images, its network, where its result goes."""

    files: tuple[Path, ...]
    state: Path
    precision: torch.dtype
    batch_size: int
    out: Path


@dataclass(frozen=True)
class Timing:
    """Seconds of a process, once it has warmed up."""

    images: int
    decoding: float
    forward: float
    writing: float
    total: float


def load(file: Path, target: np.ndarray) -> None:
    """Decode one image into a row of a batch, (224, 224, 3) uint8."""
    with Image.open(io.BytesIO(file.read_bytes())) as opened:
        image = torch.from_numpy(np.array(opened.convert("RGB")))[None].permute(0, 3, 1, 2)
    height, width = image.shape[2:]
    size = (max(SIDE, SIDE * height // width), max(SIDE, SIDE * width // height))
    image = F.interpolate(image, size, mode="bilinear", antialias=True, align_corners=False)
    top, left = (round((side - CROP) / 2) for side in size)
    target[:] = image[0, :, top : top + CROP, left : left + CROP].permute(1, 2, 0).numpy()


def network(state: Path, precision: torch.dtype) -> nn.Module:
    """Return AlexNet with the given weights, ready to run."""
    model = torchvision.models.alexnet()
    model.load_state_dict(torch.load(state, weights_only=True))
    return model.eval().to(precision, memory_format=torch.channels_last)


def forward(model: nn.Module, x: torch.Tensor, out: dict[str, list[np.ndarray]]) -> None:
    """Run the layers one by one and keep what the project keeps."""
    for number, layer in enumerate(model.features):
        if isinstance(layer, nn.ReLU):
            _keep(out, f"before/{number}", F.adaptive_max_pool2d(x, 1).flatten(1).amax(0, keepdim=True))
        x = layer(x)
        if not isinstance(layer, nn.Conv2d):
            peak, place = F.adaptive_max_pool2d(x, 1, return_indices=True)
            _keep(out, f"value/{number}", peak.flatten(1))
            out.setdefault(f"place/{number}", []).append(place.flatten(1).to(torch.int32).numpy())
            _keep(out, f"nonzero/{number}", _nonzero(x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])))
    x = torch.flatten(model.avgpool(x), 1)
    for number, layer in enumerate(model.classifier):
        if isinstance(layer, nn.ReLU):
            _keep(out, f"before/classifier{number}", x.amax(0, keepdim=True))
        x = layer(x)
        if isinstance(layer, nn.ReLU):
            _keep(out, f"value/classifier{number}", x)
            _keep(out, f"nonzero/classifier{number}", _nonzero(x))
    _keep(out, "logits", x)


def _nonzero(flat: torch.Tensor) -> torch.Tensor:
    total = torch.zeros(1, flat.shape[1])
    buffer = torch.empty(min(2048, len(flat)), flat.shape[1], dtype=flat.dtype)
    for rows in flat.split(2048):
        total += torch.ne(rows, 0, out=buffer[: len(rows)]).sum(0, dtype=torch.float32)
    return total


def _keep(out: dict[str, list[np.ndarray]], name: str, value: torch.Tensor) -> None:
    out.setdefault(name, []).append(value.float().numpy())


@torch.inference_mode()
def run_part(part: Part) -> Timing:
    """Do one process's share; the first batch is for warming up and not timed."""
    torch.set_num_threads(1)
    model = network(part.state, part.precision)
    pixels = np.empty((part.batch_size, CROP, CROP, 3), np.uint8)
    out: dict[str, list[np.ndarray]] = {}
    seconds = {"decoding": 0.0, "forward": 0.0}
    started = time.perf_counter()
    for start in range(0, len(part.files), part.batch_size):
        files = part.files[start : start + part.batch_size]
        mark = time.perf_counter()
        for row, file in enumerate(files):
            load(file, pixels[row])
        scaled = pixels[: len(files)].reshape(len(files), CROP, -1).astype(np.float32)
        scaled -= MEAN
        scaled /= STD
        decoded = time.perf_counter()
        batch = (
            torch.from_numpy(scaled).view(len(files), CROP, CROP, 3).permute(0, 3, 1, 2).to(part.precision)
        )
        forward(model, batch, out)
        if start == 0:
            started = time.perf_counter()
            continue
        seconds["decoding"] += decoded - mark
        seconds["forward"] += time.perf_counter() - decoded
    mark = time.perf_counter()
    write(part.out, {name: np.concatenate(parts) for name, parts in out.items()})
    writing = time.perf_counter() - mark
    images = len(part.files) - part.batch_size
    return Timing(images, seconds["decoding"], seconds["forward"], writing, time.perf_counter() - started)


def write(path: Path, arrays: Arrays) -> None:
    """Write the arrays with the project's filters, by its own function: HDF5 takes three times as long."""
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            rows = max(1, min(len(values), (1 << 18) // max(1, values[0].nbytes)))
            dataset = file.create_dataset(
                name, values.shape, values.dtype, chunks=(rows, *values.shape[1:]), compression="gzip",
                compression_opts=1, shuffle=True, fletcher32=True,
            )  # fmt: skip
            for place, data in filtered(values, rows):
                dataset.id.write_direct_chunk(place, data)
        file.flush()
        os.fsync(file.id.get_vfd_handle())


def run(
    files: list[Path], state: Path, precision: torch.dtype, batch_size: int, folder: Path
) -> list[Timing]:
    """Run one process a core and return the timing of each."""
    cores = len(os.sched_getaffinity(0))
    parts = [
        Part(tuple(files[core::cores]), state, precision, batch_size, folder / f"limit-{core}.h5")
        for core in range(cores)
    ]
    before = dict(os.environ)
    os.environ.update(ENVIRONMENT)
    try:
        with get_context("spawn").Pool(cores) as pool:
            return pool.map(run_part, parts, chunksize=1)
    finally:
        os.environ.clear()
        os.environ.update(before)
