"""The limit: a loop by hand for AlexNet and ResNet-50; general in it is the deflating of chunks alone.

One process a core with one thread each; Pillow decodes, torch resizes bytes; the network runs in
channels_last, layer by layer, and each layer's maxima are taken in the moment that it is computed. It writes
the same arrays: codes, logits, maxima with positions, zero counts, largest pre-activations.

On a GPU the processes share it. Bytes go to it, are scaled there, and what is kept stays there until the end:
no process waits for the GPU before that.
"""

import io
import os
import time
from dataclasses import dataclass, replace
from itertools import chain
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
Kept = dict[str, list[torch.Tensor]]


@dataclass(frozen=True)
class Part:
    """What one process does: its images, its network, where its result goes."""

    files: tuple[Path, ...]
    state: Path
    precision: torch.dtype
    batch_size: int
    out: Path
    device: str = "cpu"
    network: str = "alexnet"


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


def network(name: str, state: Path, precision: torch.dtype) -> nn.Module:
    """Return torchvision's alexnet or resnet50 with the given weights, ready to run."""
    model = getattr(torchvision.models, name)()
    model.load_state_dict(torch.load(state, weights_only=True))
    return model.eval().to(precision, memory_format=torch.channels_last)


def forward(model: nn.Module, x: torch.Tensor, out: Kept) -> None:
    """Run the layers one by one and keep what the project keeps."""
    if isinstance(model, torchvision.models.ResNet):
        _forward_resnet(model, x, out)
        return
    for number, layer in enumerate(model.features):
        if isinstance(layer, nn.ReLU):
            x = _rectified(layer, x, f"{number}", out)
        else:
            x = layer(x)
            if isinstance(layer, nn.MaxPool2d):
                _keep_maxima(x, f"{number}", out)
    x = torch.flatten(model.avgpool(x), 1)
    for number, layer in enumerate(model.classifier):
        if isinstance(layer, nn.ReLU):
            _keep(out, f"before/classifier{number}", x.amax(0, keepdim=True))
        x = layer(x)
        if isinstance(layer, nn.ReLU):
            _keep(out, f"value/classifier{number}", x)
            _keep(out, f"nonzero/classifier{number}", _nonzero(x))
    _keep(out, "logits", x)


def _forward_resnet(model: torchvision.models.ResNet, x: torch.Tensor, out: Kept) -> None:
    x = model.maxpool(_rectified(model.relu, model.bn1(model.conv1(x)), "stem", out))
    _keep_maxima(x, "pool", out)
    for number, block in enumerate(chain(model.layer1, model.layer2, model.layer3, model.layer4)):
        y = _rectified(block.relu, block.bn1(block.conv1(x)), f"{number}a", out)
        y = _rectified(block.relu, block.bn2(block.conv2(y)), f"{number}b", out)
        y = block.bn3(block.conv3(y)).add_(block.downsample(x) if block.downsample else x)
        x = _rectified(block.relu, y, f"{number}c", out)
    x = torch.flatten(model.avgpool(x), 1)
    _keep(out, "codes", x)
    _keep(out, "nonzero/codes", _nonzero(x))
    _keep(out, "logits", model.fc(x))


def _rectified(layer: nn.ReLU, x: torch.Tensor, name: str, out: Kept) -> torch.Tensor:
    _keep(out, f"before/{name}", x.amax((0, 2, 3))[None] if x.is_cuda else _largest(x))
    x = layer(x)
    _keep_maxima(x, name, out)
    return x


def _largest(x: torch.Tensor) -> torch.Tensor:
    return F.adaptive_max_pool2d(x, 1).flatten(1).amax(0, keepdim=True)


def _keep_maxima(x: torch.Tensor, name: str, out: Kept) -> None:
    if x.is_cuda:
        peak, place = x.flatten(2).max(-1)
    else:
        peak, place = (one.flatten(1) for one in F.adaptive_max_pool2d(x, 1, return_indices=True))
    _keep(out, f"value/{name}", peak)
    out.setdefault(f"place/{name}", []).append(place.to(torch.int32))
    _keep(out, f"nonzero/{name}", _nonzero(x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])))


def _nonzero(flat: torch.Tensor) -> torch.Tensor:
    if flat.is_cuda:
        return torch.count_nonzero(flat, 0)[None]
    total = torch.zeros(1, flat.shape[1])
    buffer = torch.empty(min(2048, len(flat)), flat.shape[1], dtype=flat.dtype)
    for rows in flat.split(2048):
        total += torch.ne(rows, 0, out=buffer[: len(rows)]).sum(0, dtype=torch.float32)
    return total


def _keep(out: Kept, name: str, value: torch.Tensor) -> None:
    out.setdefault(name, []).append(value.float())


def scaled(pixels: np.ndarray, device: str) -> torch.Tensor:
    """Return a batch (n, 224, 224, 3) float32, normalised, on the device."""
    rows = pixels.reshape(len(pixels), CROP, -1)
    if device == "cpu":
        scaled = rows.astype(np.float32)
        scaled -= MEAN
        scaled /= STD
        return torch.from_numpy(scaled).view(pixels.shape)
    mean, std = (torch.from_numpy(one).to(device) for one in (MEAN, STD))
    return ((torch.from_numpy(rows).to(device).float() - mean) / std).view(pixels.shape)


@torch.inference_mode()
def run_part(part: Part) -> Timing:
    """Do one process's share; the first batch is for warming up and not timed."""
    torch.set_num_threads(1)
    torch.backends.cudnn.allow_tf32 = False
    model = network(part.network, part.state, part.precision).to(part.device)
    pixels = np.empty((part.batch_size, CROP, CROP, 3), np.uint8)
    out: Kept = {}
    seconds = {"decoding": 0.0, "forward": 0.0}
    started = time.perf_counter()
    for start in range(0, len(part.files), part.batch_size):
        files = part.files[start : start + part.batch_size]
        mark = time.perf_counter()
        for row, file in enumerate(files):
            load(file, pixels[row])
        batch = scaled(pixels[: len(files)], part.device)
        decoded = time.perf_counter()
        forward(model, batch.permute(0, 3, 1, 2).to(part.precision), out)
        if start == 0:
            started = time.perf_counter()
            continue
        seconds["decoding"] += decoded - mark
        seconds["forward"] += time.perf_counter() - decoded
    mark = time.perf_counter()
    write(part.out, {name: torch.cat(parts).cpu().numpy() for name, parts in out.items()})
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


def run(files: list[Path], like: Part) -> list[Timing]:
    """Run one process a core on its share of the files, else as `like`, and return the timing of each."""
    cores = len(os.sched_getaffinity(0))
    parts = [
        replace(like, files=tuple(files[core::cores]), out=like.out / f"limit-{core}.h5")
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
