"""Time and bytes of the patches, of their figures and of the report, as units become more; the map.

``python -m benchmarks.report`` measures the interactive map of 20,000 and 50,000 images (`benchmarks.maps`).

``python -m benchmarks.report FOLDER`` extracts the photographs in FOLDER (some hundreds are enough) with
AlexNet at 224, random weights, in bfloat16, and runs every stage up to the report in processes of their own,
with the params that the project ships but for ``patches.units`` and ``patches.layers``: a few units of all
layers, many units of all layers (a layer with fewer gives all that it has), and many units of half of the
layers. It prints

- once, for what does not depend on units: seconds, memory and bytes of the stages ``predictions``, ``topk``,
  ``thumbnails``, ``embedding``, ``render-summary``, ``render-embedding``;
- for each choice of units: the same of ``patches``, ``render-patches`` and ``report``, and the number of
  files;
- the ratios of many units to few, beside the ratio of the units, and what each further unit costs: the
  difference of the two, in which the start of Python and what all units share do not count.

Seconds are wall clock, imports included; memory is the largest sum of PSS over the stage's processes (see
`benchmarks.processes`); bytes are those of the files that the stage writes. The report holds a copy of all
figures. Last come the budgets of a drawn unit, and what was found.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.budgets import UNIT
from benchmarks.extraction import prepare, recipe
from benchmarks.maps import report_maps
from benchmarks.processes import ROOT, run
from pipeline.extraction.extraction import extract
from pipeline.formats.activations import open_activations
from pipeline.formats.patches import open_patches
from pipeline.shards.pool import POOL_VARIABLE

ARTIFACTS = Path("artifacts")
FIGURES = ARTIFACTS / "figures"
# Stage to what it writes, in the order in which they run.
ONCE = {
    "predictions": ARTIFACTS / "predictions.h5",
    "topk": ARTIFACTS / "topk.h5",
    "thumbnails": ARTIFACTS / "thumbnails.h5",
    "embedding": ARTIFACTS / "embedding.h5",
    "render_summary": FIGURES / "summary",
    "render_embedding": FIGURES / "embedding",
}
BY_UNITS = {
    "patches": ARTIFACTS / "patches.h5",
    "render_patches": FIGURES / "patches",
    "report": Path("report"),
}
MB = 1e6
UNIT_SECONDS = 0.06  # budget of a drawn unit: rendering and its pages


@dataclass(frozen=True)
class Cost:
    """Seconds, MiB, bytes and files of a stage."""

    seconds: float
    memory: float
    size: int
    files: int


@dataclass(frozen=True)
class Choice:
    """What was drawn, and the cost of each stage."""

    layers: int
    units: int
    costs: Mapping[str, Cost]


def write_params(work: Path, units: int, layers: Sequence[str]) -> None:
    """Write the project's params with another choice of units."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["patches"] |= {"units": units, "layers": list(layers)}
    (work / "params.yaml").write_text(yaml.safe_dump(params))


def cost(stage: str, output: Path, work: Path) -> Cost:
    """Run a stage on its default paths and weigh what it wrote."""
    done = run(f"stages.{stage}", [], folder=work)
    target = work / output
    files = [target] if target.is_file() else [file for file in target.rglob("*") if file.is_file()]
    return Cost(done.seconds, done.peak, sum(file.stat().st_size for file in files), len(files))


def choose(work: Path, units: int, layers: Sequence[str]) -> Choice:
    """Draw a number of units of some layers and make the report."""
    write_params(work, units, layers)
    costs = {stage: cost(stage, output, work) for stage, output in BY_UNITS.items()}
    with open_patches(work / BY_UNITS["patches"]) as file:
        drawn = [len(file.layer(name).unit) for name in file.about.layers]
    return Choice(len(drawn), sum(drawn), costs)


def show(what: str, costs: Mapping[str, Cost]) -> None:
    """Print a line for each stage."""
    for stage, one in costs.items():
        print(
            f"{what}: {stage:16} {one.seconds:7.1f} s, {one.memory:6.0f} MiB memory, "
            f"{one.size / MB:8.1f} MB in {one.files:,} files",
            flush=True,
        )


def compare(few: Choice, many: Choice) -> None:
    """Print how the costs grew with the units."""
    units, times = many.units - few.units, many.units / few.units
    for stage, one in many.costs.items():
        before = few.costs[stage]
        print(
            f"{times:.1f} times the units, {stage:16} {one.seconds / before.seconds:5.2f} x the seconds, "
            f"{one.size / before.size:5.2f} x the bytes, {one.memory / before.memory:5.2f} x the memory; "
            f"each further unit {(one.seconds - before.seconds) / units * 1e3:6.1f} ms, "
            f"{(one.size - before.size) / units / 1e3:6.1f} kB"
        )


def budget(few: Choice, many: Choice) -> None:
    """Print what each further unit may cost and what it costs; the report holds what it shows of patches."""
    units = many.units - few.units
    seconds = sum(many.costs[one].seconds - few.costs[one].seconds for one in ("render_patches", "report"))
    size = many.costs["report"].size - few.costs["report"].size
    print(f"a drawn unit: {UNIT_SECONDS * 1e3:.0f} ms at most, found {seconds / units * 1e3:.0f} ms")
    print(f"a drawn unit: {UNIT} kB at most, found {size / units / 1e3:.0f} kB")


def start(folder: Path, work: Path) -> list[str]:
    """Make all that the stages need, up to the activations; return the layers."""
    for name in (ARTIFACTS, Path("inputs"), Path("plots"), Path("metrics")):
        (work / name).mkdir()
    artifacts = work / ARTIFACTS
    prepare(folder, artifacts)
    os.environ[POOL_VARIABLE] = str(work / "pool")
    activations = artifacts / "activations"
    extract(
        artifacts / "manifest.h5", recipe(artifacts, "bfloat16"), activations, {}, shard_mean=128,
        shard_largest=512, candidates=28,
    )  # fmt: skip
    return open_activations(activations).layers


def measure_units(folder: Path, few: int, many: int) -> None:
    """Measure few units, many, and many of half of the layers."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        layers = start(folder, work)
        write_params(work, few, layers)
        show("once", {stage: cost(stage, output, work) for stage, output in ONCE.items()})
        choices = [choose(work, units, chosen) for units, chosen in
                   ((few, layers), (many, layers), (many, layers[::2]))]  # fmt: skip
        for choice in choices:
            show(f"{choice.units:5,} units of {choice.layers} layers", choice.costs)
    compare(choices[0], choices[1])
    compare(choices[2], choices[1])
    budget(choices[0], choices[1])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure units where there is a folder, else maps."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.report", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--units", type=int, nargs=2, default=(16, 160), metavar=("FEW", "MANY"))
    parser.add_argument("--maps", type=int, nargs="+", default=(20_000, 50_000), metavar="IMAGES")
    options = parser.parse_args(arguments)
    if options.folder:
        measure_units(options.folder, *options.units)
    else:
        report_maps(options.maps)
    return 0


if __name__ == "__main__":
    sys.exit(main())
