"""Extraction at 224 against the hand-written limit, a plain DataLoader loop, and zennit-crp.

`python -m benchmarks.extraction FOLDER` takes the images that `benchmarks.photographs` made. All see the
same files on the same machine, on the CPU or with ``--device cuda`` on its GPU, in turn; the network is
AlexNet unless ``--network`` says otherwise. What the numbers are, in images a second:

- ``ours, whole``: all images, over the time from handing the jobs to the client until the last receipt is
  back: reading, hashing, decoding, forward pass, reduction, writing the shards, Dask between them. The
  workers have started, loaded the network and done a batch before. Left out are the start of the cluster and
  the index.
- ``ours, steady``: the same up to the moment at which the first worker finds no shard left; of shards that
  are unfinished then, the share of their seconds (as their receipts say) that lies before it. It is the rate
  of a run so long that its end does not matter. The tail, from that moment to the end, is printed in
  seconds. Shards are of equal size and their number is a multiple of the workers', so that the tail is
  short.
- ``limit`` (`benchmarks.limit`): the sum over its processes of their images over their seconds, from the end
  of the first batch to the end of writing, so a steady rate without a tail; hold ``steady`` against it.
  ``its decoding and forward pass`` leaves its writing and its copying of pixels into batches out.
- ``plain``: half of the images in the loop that most scripts have, in float32 (on a GPU with torch's own
  setting, by which convolutions round to TF32), timed from the end of the first batch.
- ``crp``: `benchmarks.zennit_crp`, all images but the first batch, in float32 alone; its two ways. AlexNet on
  the CPU alone; skipped where the extra ``bench`` is not installed.

All are measured in turn, several times; a rate or a ratio is the median over the turns, its range in
brackets: within minutes the speed of a shared machine wanders by a fifth. A ratio above 1 says that ours is
faster.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torchvision
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from benchmarks import limit, zennit_crp
from pipeline.extraction.computing import processes
from pipeline.extraction.plan import make_recipe
from pipeline.extraction.recipe import Recipe
from pipeline.extraction.shard import Receipt, ShardJob, compute_shard
from pipeline.formats.manifest import open_manifest, write_manifest
from pipeline.formats.weights import Description
from pipeline.images.preprocess import Preprocessing
from pipeline.manifest.cache import CACHE_VARIABLE
from pipeline.manifest.manifest import Selection, build_manifest
from pipeline.model.device import DEVICE_VARIABLE, choose_device
from pipeline.model.network import save_network
from pipeline.parallel import cluster
from pipeline.parallel.memory import available
from pipeline.parallel.processes import Lost, count_workers
from pipeline.shards.cutting import Rows

BATCH = 64
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
Rate = float


@dataclass(frozen=True)
class Rates:
    """Images a second of all and of the time before the tail; the tail in seconds."""

    whole: Rate
    steady: Rate
    tail: float


def prepare(
    folder: Path, work: Path, state: Path | None = None, architecture: str = "alexnet"
) -> tuple[Path, Path]:
    """Make the manifest and a torchvision network's weights, random unless a state dict is given.

    Returns
    -------
    weights, state : Path
        The weights folder, and the weights as a plain state dict.
    """
    torch.manual_seed(0)
    network = getattr(torchvision.models, architecture)().eval()
    if state:
        network.load_state_dict(torch.load(state, weights_only=True))
    description = Description(
        architecture=f"torchvision:{architecture}", weights=state.name if state else "random",
        # The classes of `benchmarks.photographs` are the first ones.
        classes=tuple(f"{number:02d}" for number in range(1000)),
        preprocessing=Preprocessing(input_size=(224, 224), resize=256),
    )  # fmt: skip
    save_network(work / "weights", network, description, work)
    torch.save(network.state_dict(), work / "state.pth")
    os.environ[CACHE_VARIABLE] = str(work / "cache")
    manifest = build_manifest(folder, Selection(depth="headers"))
    write_manifest(
        manifest, work / "manifest.h5", dataset=str(folder.resolve()), max_bad_fraction=0.0, params="0" * 64
    )
    return work / "weights", work / "state.pth"


def recipe(work: Path, precision: str) -> Recipe:
    """Return the recipe of the params that the project ships, but for batch and precision."""
    return make_recipe(
        work / "weights", "auto", batch_size=BATCH, precision=precision, statistics=True, means=False
    )


def even_shards(images: int, workers: int, mean: int) -> list[Rows]:
    """Divide images into shards of equal size, give or take one, as many for each worker."""
    count = workers * max(1, round(images / (workers * mean)))
    edges = np.linspace(0, images, count + 1).round().astype(int).tolist()
    return [Rows(start, stop) for start, stop in zip(edges[:-1], edges[1:], strict=True)]


def ours(folder: Path, work: Path, precision: str, shard_mean: int) -> Rates:
    """Time the shard tasks on warm workers."""
    how = recipe(work, precision)
    workers = processes(how.device, available())
    with open_manifest(work / "manifest.h5") as manifest:
        images = len(manifest)
    pool = Path(tempfile.mkdtemp(dir=work, prefix="pool-"))
    jobs = [
        ShardJob(
            work / "manifest.h5", folder.resolve(), rows, pool / f"{rows.start}.h5", how, how.digest(),
        )
        for rows in even_shards(images, workers, shard_mean)
    ]  # fmt: skip
    with cluster.connect(workers=workers) as client:
        # One job a worker at a time, so each gets one of these.
        warm = [replace(job, rows=Rows(job.rows.start, job.rows.start + BATCH),
                        target=pool / f"warm-{job.rows.start}.h5")
                for job in jobs[:workers]]  # fmt: skip
        list(cluster.map_jobs(client, compute_shard, warm, label="warming up", unit="shards"))
        started = time.perf_counter()
        finished = [
            (time.perf_counter() - started, receipt)
            for _, receipt in cluster.map_jobs(client, compute_shard, jobs, label="extracting", unit="shards")
            if not isinstance(receipt, Lost)
        ]
    return rates(finished, workers)


def rates(finished: Sequence[tuple[float, Receipt]], workers: int) -> Rates:
    """Derive the rates from receipts and the seconds after the start at which they came, ascending.

    No worker is idle while a shard waits, and each has one at a time: so the last receipts, one a worker,
    are the last ones of the workers, and the earliest of these begins the tail.
    """
    end, tail_begins = finished[-1][0], finished[-workers][0]
    before = 0.0
    for moment, receipt in finished:
        begun = max(0.0, moment - receipt.seconds)
        before += receipt.rows * max(0.0, min(moment, tail_begins) - begun) / (moment - begun)
    rows = sum(receipt.rows for _, receipt in finished)
    return Rates(rows / end, before / tail_begins, end - tail_begins)


def hand_written(files: Sequence[Path], work: Path, precision: str, architecture: str) -> tuple[Rate, Rate]:
    """Return images a second of the limit, and of its decoding and forward pass alone."""
    like = limit.Part(
        (), work / "state.pth", PRECISIONS[precision], BATCH, work, choose_device(), architecture
    )
    timings = limit.run(list(files), like)
    whole = sum(timing.images / timing.total for timing in timings)
    apart = sum(timing.images / (timing.decoding + timing.forward) for timing in timings)
    return whole, apart


@torch.inference_mode()
def plain(folder: Path, state: Path, images: int, architecture: str) -> Rate:
    """Return images a second of what most scripts do: DataLoader workers, hooks, `flatten(2).max(-1)`."""
    device = choose_device()
    # As torch has it where nobody says otherwise.
    torch.backends.cudnn.allow_tf32 = True
    network = getattr(torchvision.models, architecture)()
    network.load_state_dict(torch.load(state, weights_only=True))
    network.eval().to(device)
    kept: list[tuple[torch.Tensor, torch.Tensor]] = []
    for layer in network.modules():
        if isinstance(layer, torch.nn.ReLU | torch.nn.MaxPool2d):
            layer.register_forward_hook(
                lambda _layer, _given, out: kept.append(
                    out.flatten(2).max(-1) if out.ndim == 4 else (out, out)
                )
            )
    transform = v2.Compose([
        v2.Resize(256), v2.CenterCrop(224), v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True),
        v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ])  # fmt: skip
    cores = len(os.sched_getaffinity(0))
    torch.set_num_threads(cores)
    loader = DataLoader(
        ImageFolder(str(folder), transform), BATCH, num_workers=cores, pin_memory=device == "cuda"
    )
    started, count = 0.0, -BATCH
    for batch, _ in loader:
        network(batch.to(device, non_blocking=True))
        for value, place in kept:
            value.cpu(), place.cpu()
        kept.clear()
        if count < 0:
            started = time.perf_counter()
        count += len(batch)
        if count >= images:
            break
    return count / (time.perf_counter() - started)


def turn(folder: Path, work: Path, precision: str, options: argparse.Namespace) -> dict[str, float]:
    """Measure ours, the limit and the plain loop once, one after the other, and return rates and ratios."""
    files, state = sorted(folder.rglob("*.jpg")), work / "state.pth"
    own = ours(folder, work, precision, options.shard_mean)
    whole, apart = hand_written(files, work, precision, options.network)
    loop = plain(folder, state, len(files) // 2, options.network)
    return {
        "ours, whole": own.whole, "ours, steady": own.steady, "ours, tail (s)": own.tail,
        "limit": whole, "its decoding and forward pass": apart, "plain, float32": loop,
        "ours whole/limit": own.whole / whole, "ours steady/limit": own.steady / whole,
        "limit/apart": whole / apart, "limit/plain": whole / loop, "ours whole/plain": own.whole / loop,
        "ours steady/plain": own.steady / loop,
    }  # fmt: skip


def compare(folder: Path, work: Path, precision: str, options: argparse.Namespace) -> Rate:
    """Print a precision's rates and ratios, medians over the turns and their range; return ours, whole."""
    turns = [turn(folder, work, precision, options) for _ in range(options.turns)]
    columns = {name: [one[name] for one in turns] for name in turns[0]}
    for name, values in columns.items():
        spread = f"   ({min(values):.2f} to {max(values):.2f})" if len(values) > 1 else ""
        print(f"{precision}: {name}: {np.median(values):.2f}{spread}", flush=True)
    return float(np.median(columns["ours, whole"]))


def compare_with_crp(folder: Path, work: Path, own: dict[str, Rate]) -> None:
    """Print zennit-crp's rates and the ratios to it, or why they are left out."""
    if not zennit_crp.is_installed():
        print("crp: left out, zennit-crp is not installed (the extra 'bench')")
        return
    layers = [layer.name for layer in recipe(work, "float32").layers]
    for way in zennit_crp.WAYS:
        rate = zennit_crp.rate(folder, work / "state.pth", layers, BATCH, way, work)
        ratios = "; ".join(f"ours {name}/crp {one / rate:.2f}" for name, one in own.items())
        print(f"crp, {way}, float32: {rate:.1f} images/s; {ratios}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print images a second and the ratios."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.extraction", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("folder", type=Path)
    parser.add_argument("--precision", nargs="*", choices=PRECISIONS, default=list(PRECISIONS))
    parser.add_argument("--network", choices=("alexnet", "resnet50"), default="alexnet")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--shard-mean", type=int, default=128, help="images in a shard")
    parser.add_argument(
        "--turns", type=int, default=5, help="how often all are measured; medians are printed"
    )
    options = parser.parse_args(arguments)
    least = 2 * BATCH * count_workers()
    if len(list(options.folder.rglob("*.jpg"))) < least:
        parser.error(f"{options.folder}: at least {least} images are needed, as first batches are not timed")
    os.environ[DEVICE_VARIABLE] = options.device
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        prepare(options.folder, work, architecture=options.network)
        own = {
            precision: compare(options.folder, work, precision, options) for precision in options.precision
        }
        if options.device == "cpu" and options.network == "alexnet":
            compare_with_crp(options.folder, work, own)
    return 0


if __name__ == "__main__":
    sys.exit(main())
