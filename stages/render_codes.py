"""Draw what a code keeps of an image: what can be reconstructed from it, and where things are."""

from collections.abc import Mapping
from pathlib import Path

from pipeline.contents.writing import new_chapter
from pipeline.figures.correspondence import add_correspondence
from pipeline.figures.inversion import add_inversion
from pipeline.formats.correspondence import open_correspondence
from pipeline.formats.inversion import open_inversion
from pipeline.formats.probes import read_pictured
from stages.blocks.render_codes import Params
from stages.command import Stage, execute


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/figures/codes/`."""
    probes = read_pictured(paths["probes"])
    with new_chapter(paths["out"]) as chapter:
        with open_inversion(paths["inversion"]) as inversion:
            add_inversion(chapter.section("inversion"), inversion, probes, shown=params.probes)
        with open_correspondence(paths["correspondence"]) as correspondence:
            add_correspondence(chapter.section("correspondence"), correspondence, probes)


STAGE = Stage(
    name="render-codes",
    run=run,
    params=Params,
    block="render_codes",
    inputs={
        "probes": "artifacts/probes.h5",
        "inversion": "artifacts/inversion.h5",
        "correspondence": "artifacts/correspondence.h5",
    },
    outputs={"out": "artifacts/figures/codes"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
