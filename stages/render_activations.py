"""Draw what layers and units do: how sparse they are, which units are dead or saturated."""

from collections.abc import Mapping
from pathlib import Path

from pipeline.contents.writing import new_chapter
from pipeline.figures.units import add_units
from pipeline.formats.class_names import read_class_names
from pipeline.formats.units import open_units
from stages.blocks.render_activations import Params
from stages.command import Stage, execute


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/figures/activations/`."""
    classes = read_class_names(paths["names"]).of_class
    with new_chapter(paths["out"]) as chapter, open_units(paths["units"]) as units:
        add_units(chapter.section("units"), units, classes, listed=params.listed)


STAGE = Stage(
    name="render-activations",
    run=run,
    params=Params,
    block="render_activations",
    inputs={"units": "artifacts/units.h5", "names": "artifacts/class_names.h5"},
    outputs={"out": "artifacts/figures/activations"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
