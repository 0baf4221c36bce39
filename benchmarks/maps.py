"""Frames and bytes of the interactive map, on a machine without a graphics card.

A map of N synthetic thumbnails is drawn by the render stage's own code, opened in headless Chromium with
software rendering at 1440 x 900, and moved by a few pixels in each of some frames: at the whole, at four
magnifications, and in the grid. What a place loads when it is first looked at is part of its frames.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.photographs import photograph
from pipeline.contents.reading import read_sections
from pipeline.contents.writing import new_chapter
from pipeline.figures.embedding import Points, Tiles, add_viewer
from pipeline.report.captions import FOLDER as CAPTIONS
from pipeline.report.provenance import Counted, Provenance
from pipeline.report.site import Texts, write_report
from tests.pipeline.report.browser import Page, browser

TILE = 48
PICTURES = 256  # different ones; each is shown many times
CLASSES = 20
# Magnification of the whole, by arrangement.
PLACES = {"map": (1, 4, 6, 8, 20, 60), "grid": (1, 2, 4, 20)}
FRAMES = 60
MEDIAN, LONGEST = 50, 250  # ms, budgets
BYTES = 1200  # an image, budget
HEAD = f"{'what':52} {'budget':>10} {'found':>10}"
CAPTION = """title: Map
chapter: codes
order: 1

A map.

## viewer
title: Map
alt: Map
"""
# Moves the map by some pixels a frame, to and fro, and returns how long each frame took, ms.
MOVE = """(async (x, y, zoom, layout, frames) => {
  const view = document.querySelector("canvas.map").view;
  document.querySelector(`[name=layout][value=${layout}]`).click();
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  await frame();
  view.look(x, y, zoom);
  const taken = [];
  let before = await frame();
  for (let k = 0; k < frames; k++) {
    view.pan(k % 20 < 10 ? 6 : -6, 0);
    const now = await frame();
    taken.push(now - before);
    before = now;
  }
  return taken;
})"""


@dataclass(frozen=True)
class Line:
    """A budget, and what was found."""

    what: str
    budget: float
    found: float

    def __str__(self) -> str:
        over = "" if self.found <= self.budget else "  over"
        return f"{self.what:52} {self.budget:10,.4g} {self.found:10,.4g}{over}"


def synthetic(count: int) -> Points:
    """Make a map of islands that touch, a class each."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, CLASSES, count).astype(np.int32)
    angle, reach = rng.uniform(0, 2 * np.pi, CLASSES), np.sqrt(rng.uniform(0, 1, CLASSES))
    middle = np.stack((reach * np.cos(angle), reach * np.sin(angle)), axis=1)
    xy = (middle[label] + rng.normal(0, 0.13, (count, 2))).astype(np.float32)
    side = int(np.ceil(np.sqrt(count)))
    by_column = np.argsort(xy[:, 0], kind="stable")
    cell = np.empty((count, 2), np.int32)
    for column in range(side):
        own = by_column[column * side : (column + 1) * side]
        own = own[np.argsort(xy[own, 1], kind="stable")]
        cell[own] = np.stack((np.full(len(own), column), np.arange(len(own))), axis=1)
    names = tuple(f"class {number}" for number in range(CLASSES))
    paths = [f"{names[one]}/photograph-{row:06}.jpg" for row, one in enumerate(label.tolist())]
    return Points(np.arange(count), paths, xy, cell, (side, side), label, label, names, {})


def synthetic_tiles() -> Tiles:
    """Give photo-like thumbnails, three quarters as high as wide."""
    photographs = [photograph(seed, 500, 375) for seed in range(PICTURES)]

    def tiles(
        rows: NDArray[np.integer], size: int, *, margin: int = 0, square: bool = False
    ) -> NDArray[np.uint8]:
        made = np.zeros((PICTURES, size, size, 4), np.uint8)
        high = size * 3 // 4
        top = (size - high) // 2
        for tile, one in zip(made, photographs, strict=True):
            tile[top : top + high, :, :3] = np.asarray(one.resize((size, high), Image.Resampling.LANCZOS))
            tile[top : top + high, :, 3] = 255
        return made[rows * 7919 % PICTURES]

    return tiles


def write_map(folder: Path, count: int) -> int:
    """Write a report of one map and return the bytes of the map."""
    with new_chapter(folder / "figures/codes") as chapter:
        section = chapter.section("embedding")
        add_viewer(section, synthetic(count), synthetic_tiles(), most=count, tile=TILE, seed=0)
    made_of = Provenance(
        images=Counted(dataset="", counts={}, skipped=()), network={}, artifacts=(), params="", metrics={}
    )
    shutil.copytree(CAPTIONS / "pages", folder / "captions/pages")
    (folder / "captions/embedding.md").write_text(CAPTION)
    (folder / "captions/chapters.yaml").write_text("codes: Codes\nabout: About\n")
    texts = Texts("Map", captions=folder / "captions")
    write_report(folder / "report", read_sections(folder / "figures"), made_of, texts)
    files = (folder / "report/figures/embedding").iterdir()
    return sum(file.stat().st_size for file in files)


def measure(page: Page, address: Path) -> Iterator[Line]:
    """Open the map, move it at each place, and say how long its frames take."""
    page.open(address)
    for layout, zoom in ((layout, zoom) for layout, zooms in PLACES.items() for zoom in zooms):
        x, y = page.evaluate("(({x, y}) => [x[0], y[0]])(document.querySelector('canvas.map').view.data)")
        middle = (0.5, 0.5) if zoom == 1 else (x, y)
        taken = page.evaluate(f"{MOVE}({middle[0]}, {middle[1]}, {zoom}, '{layout}', {FRAMES})")
        place = f"{layout} x{zoom}"
        yield Line(f"{place}: median frame, ms", MEDIAN, float(np.median(taken)))
        yield Line(f"{place}: longest frame, ms", LONGEST, max(taken))


def report_maps(counts: Sequence[int]) -> None:
    """Print for each budget what was found, and how busy the machine was."""
    print(f"{'images':>7}  {HEAD}")
    for count in counts:
        with tempfile.TemporaryDirectory() as name, browser() as page:
            size = write_map(Path(name), count)
            moved = list(measure(page, Path(name) / "report/map.html"))
        print(f"{count:7,}  load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        for line in (Line("bytes an image", BYTES, size / count), *moved):
            print(f"{count:7,}  {line}", flush=True)
