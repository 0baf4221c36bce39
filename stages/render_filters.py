"""Draw the filters of the network, and say how good they are."""

from collections.abc import Mapping
from pathlib import Path

from pipeline.contents.writing import new_chapter
from pipeline.figures.filter_tiles import Bounds
from pipeline.figures.filters import Drawn, add_filters
from pipeline.formats.filters import open_filters
from pipeline.formats.patches import open_patches
from stages.blocks.render_filters import Params
from stages.command import Stage, execute


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/figures/filters/`."""
    with open_patches(paths["patches"]) as patches:
        units = {name: patches.layer(name).unit for name in patches.about.layers}
    bounds = Bounds(params.tiles, params.filters, params.channels, params.scale)
    with open_filters(paths["filters"]) as found, new_chapter(paths["out"]) as chapter:
        add_filters(chapter.section("filters"), found, Drawn(params.layers, units), bounds)


STAGE = Stage(
    name="render-filters",
    run=run,
    params=Params,
    block="render_filters",
    inputs={"filters": "artifacts/filters.h5", "patches": "artifacts/patches.h5"},
    outputs={"out": "artifacts/figures/filters"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
