"""Memory of an extraction with AlexNet at 224, at N images and at 10 N: it is to be the same.

``python -m benchmarks.memory FOLDER --repeat`` takes the photographs that `benchmarks.photographs` made and
runs ``python -m stages.extract`` on N and on 10 N of them, in a process of its own with a local cluster, as
users do. In MiB it prints for each process

- the largest PSS that was seen (looked at every 0.2 s);
- the median PSS of the second half of its looks, since the peak may be that of loading the network, behind
  which a growth would not be seen;
- the kernel's peak of the resident set, which counts shared pages whole (see `benchmarks.processes`),

and the ratios of 10 N to N. The processes are

- the client: it plans, runs Dask's scheduler, collects receipts and writes the index, so it holds what grows
  with the images: their paths, digests and numbers;
- the workers, one a core unless CONVATLAS_WORKERS says otherwise: each holds the network and a batch, and
  the arrays of one shard;
- together: the largest sum over all processes at one moment.

With ``--repeat`` photographs stand in the dataset as often as it takes, as hard links: each is read, decoded
and computed every time. They come in another order every time, since shards of equal content are one file in
the pool. The dataset and the pool lie in a temporary folder beside FOLDER; 50,000 images need up to 5 GB
there.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.extraction import BATCH, PRECISIONS, prepare
from benchmarks.processes import Member, Run, run

WORKER = "spawn_main"  # in the command line of a process that Dask's nanny started


def link(folder: Path, target: Path, images: int) -> None:
    """Fill a folder with links to photographs, all of them in each subfolder, in an order of its own."""
    files = sorted(folder.rglob("*.jpg"))
    for number, start in enumerate(range(0, images, len(files))):
        place = target / f"{number:03d}"
        place.mkdir(parents=True)
        names = np.random.default_rng(number).permutation(len(files)).tolist()
        for name, file in zip(names, files[: images - start], strict=False):
            os.link(file, place / f"{name:08d}.jpg")


def measure(folder: Path, images: int, precision: str) -> Run:
    """Extract a number of images in processes of their own."""
    with tempfile.TemporaryDirectory(dir=folder.resolve().parent, prefix="memory-") as name:
        work = Path(name)
        link(folder, work / "images", images)
        weights, _ = prepare(work / "images", work)
        params = {
            "layers": "auto", "batch_size": BATCH, "precision": precision, "statistics": True,
            "means": False, "candidates": 0, "shards": {"mean": 128, "largest": 512},
        }  # fmt: skip
        # JSON is YAML.
        (work / "params.yaml").write_text(json.dumps({"extract": params}))
        arguments = ["--manifest", work / "manifest.h5", "--weights", weights]
        arguments += ["--activations", work / "activations"]
        return run("stages.extract", arguments, folder=work, CONVATLAS_SHARDS=str(work / "pool"))


def workers(extraction: Run) -> list[Member]:
    """Return the workers among the processes."""
    return [member for member in extraction.others if WORKER in member.command]


def show(images: int, extraction: Run) -> None:
    """Print the memory of each process."""
    own = [("client", extraction.own)]
    for role, member in own + [("worker", worker) for worker in workers(extraction)]:
        print(
            f"{images:7,} images: {role} {member.peak:6.0f} MiB PSS, second half {member.later:6.0f}; "
            f"resident {member.resident:6.0f}"
        )
    print(
        f"{images:7,} images: together {extraction.peak:.0f} MiB PSS, {extraction.seconds:.0f} s, "
        f"{images / extraction.seconds:.1f} images/s with the start of all processes",
        flush=True,
    )


def compare(factor: int, few: Run, many: Run) -> None:
    """Print by how much each grew."""
    both = (few, many)
    for what in ("peak", "later"):
        client = [getattr(extraction.own, what) for extraction in both]
        largest = [max(getattr(worker, what) for worker in workers(extraction)) for extraction in both]
        print(
            f"{factor} times the images, {'peak' if what == 'peak' else 'second half'}: "
            f"client {client[1] / client[0]:.2f} x the memory, largest worker {largest[1] / largest[0]:.2f}"
        )
    print(f"{factor} times the images, peak: together {many.peak / few.peak:.2f}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure N and 10 N images."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.memory", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=5000, help="N")
    parser.add_argument("--factor", type=int, default=10)
    parser.add_argument("--precision", choices=PRECISIONS, default="bfloat16")
    parser.add_argument("--repeat", action="store_true", help="take photographs several times")
    options = parser.parse_args(arguments)
    there, sizes = len(list(options.folder.rglob("*.jpg"))), (options.images, options.images * options.factor)
    if not there or (there < sizes[1] and not options.repeat):
        parser.error(f"{options.folder}: {there:,} images, {sizes[1]:,} are needed; or give --repeat")
    extractions = []
    for images in sizes:
        extractions.append(measure(options.folder, images, options.precision))
        show(images, extractions[-1])
    compare(options.factor, *extractions)
    return 0


if __name__ == "__main__":
    sys.exit(main())
