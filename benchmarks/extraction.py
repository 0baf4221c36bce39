"""Extraction with AlexNet at 224 against the hand-written limit and against a plain DataLoader loop.

`python -m benchmarks.extraction FOLDER` takes the images that `benchmarks.photographs` made. All see the same
files on the same machine, in turn; the first batch of each process is not timed.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
import torchvision
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from benchmarks import limit
from pipeline import cluster
from pipeline.extraction import Wanted, make_plan
from pipeline.manifest import Selection, build_manifest, write_manifest
from pipeline.model import save_network
from pipeline.preprocess import Preprocessing
from pipeline.shards import ShardPool
from pipeline.weights import Description
from pipeline.worker import Receipt, ShardJob, compute_shard

BATCH = 32
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
Rate = float


def prepare(folder: Path, work: Path) -> tuple[Path, Path]:
    """Make the manifest and random AlexNet weights; return the weights folder and a plain state dict."""
    torch.manual_seed(0)
    network = torchvision.models.alexnet().eval()
    description = Description(
        architecture="torchvision:alexnet", weights="random", classes=tuple(map(str, range(1000))),
        preprocessing=Preprocessing(input_size=(224, 224), resize=256),
    )  # fmt: skip
    save_network(work / "weights", network, description, work)
    torch.save(network.state_dict(), work / "state.pth")
    manifest = build_manifest(folder, Selection(depth="headers"))
    write_manifest(
        manifest, work / "manifest.h5", dataset=str(folder.resolve()), max_bad_fraction=0.0, params="0" * 64
    )
    return work / "weights", work / "state.pth"


def ours(folder: Path, work: Path, precision: str) -> Rate:
    """Return images a second of the shard tasks, started workers warmed up by a shard of their own."""
    os.environ["CONVATLAS_SHARDS"] = str(work / f"pool-{precision}")
    wanted = Wanted("auto", BATCH, precision, statistics=True, means=False, shard_mean=128, shard_largest=512)
    plan = make_plan(work / "manifest.h5", work / "weights", wanted)
    pool = ShardPool()
    pool.folder.mkdir()
    jobs = [
        ShardJob(
            work / "manifest.h5", folder.resolve(), part.start, part.stop, pool.path(name), plan.recipe,
            plan.recipe_digest,
        )
        for part, name in zip(plan.cuts, plan.keys, strict=True)
    ]  # fmt: skip
    with cluster.connect() as client:
        warm = [replace(job, stop=job.start + BATCH, target=work / f"warm-{precision}-{n}.h5")
                for n, job in enumerate(jobs[:2])]  # fmt: skip
        list(cluster.map_jobs(client, compute_shard, warm, label="warming up", unit="shards"))
        started = time.perf_counter()
        receipts: list[Receipt | None] = [
            receipt
            for _, receipt in cluster.map_jobs(client, compute_shard, jobs, label="extracting", unit="shards")
        ]
        seconds = time.perf_counter() - started
    return sum(receipt.rows for receipt in receipts if receipt) / seconds


def hand_written(files: Sequence[Path], state: Path, work: Path, precision: str) -> tuple[Rate, Rate]:
    """Return images a second of the limit, and of its decoding and forward pass alone."""
    timings = limit.run(list(files), state, PRECISIONS[precision], BATCH, work)
    whole = sum(timing.images / timing.total for timing in timings)
    apart = sum(timing.images / (timing.decoding + timing.forward) for timing in timings)
    return whole, apart


@torch.inference_mode()
def plain(folder: Path, state: Path, images: int) -> Rate:
    """Return images a second of what most scripts do: DataLoader workers, hooks, `flatten(2).max(-1)`."""
    network = torchvision.models.alexnet()
    network.load_state_dict(torch.load(state, weights_only=True))
    kept: list[tuple[torch.Tensor, torch.Tensor]] = []
    for layer in [*network.eval().features, *network.classifier]:
        if not isinstance(layer, torch.nn.Conv2d | torch.nn.Linear | torch.nn.Dropout):
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
    loader = DataLoader(ImageFolder(str(folder), transform), BATCH, num_workers=cores)
    started, count = 0.0, 0
    for number, (batch, _) in enumerate(loader):
        if number == 1:
            started = time.perf_counter()
        network(batch)
        kept.clear()
        count += len(batch) if number else 0
        if count >= images:
            break
    return count / (time.perf_counter() - started)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print images a second and the ratios."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.extraction", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--precision", nargs="*", choices=PRECISIONS, default=list(PRECISIONS))
    options = parser.parse_args(arguments)
    files = sorted(options.folder.rglob("*.jpg"))
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        _, state = prepare(options.folder, work)
        baseline = plain(options.folder, state, len(files) // 2)
        print(f"plain loop, float32: {baseline:.1f} images/s")
        for precision in options.precision:
            whole, apart = hand_written(files, state, work, precision)
            own = ours(options.folder, work, precision)
            print(
                f"{precision}: ours {own:.1f} images/s; limit {whole:.1f}, its decoding and forward pass "
                f"{apart:.1f}; ours/limit {own / whole:.2f}, limit/apart {whole / apart:.2f}, "
                f"ours/plain {own / baseline:.2f}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
