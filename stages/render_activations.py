"""Draw what layers and units do: how sparse they are, which units are dead or saturated."""

from collections.abc import Mapping
from pathlib import Path

from pipeline.contents.writing import new_chapter
from pipeline.figures.maps_over_time import Pictured
from pipeline.figures.training_dynamics import add_training_dynamics
from pipeline.figures.units import add_units
from pipeline.formats.class_names import read_class_names
from pipeline.formats.manifest import open_manifest
from pipeline.formats.probes import read_pictures, read_probes
from pipeline.formats.status import Status
from pipeline.formats.training_dynamics import open_dynamics
from pipeline.formats.units import open_units
from stages.blocks.render_activations import Params
from stages.command import Stage, execute


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/figures/activations/`."""
    classes = read_class_names(paths["names"]).of_class
    with new_chapter(paths["out"]) as chapter, open_units(paths["units"]) as units:
        add_units(chapter.section("units"), units, classes, listed=params.listed)
        with open_dynamics(paths["dynamics"]) as dynamics, open_manifest(paths["manifest"]) as manifest:
            section = chapter.section("training_dynamics")
            add_training_dynamics(section, dynamics, len(manifest), _pictured(paths["probes"]))


def _pictured(probes: Path) -> Pictured | None:
    """Return the first of the probes; None where there is none."""
    found = read_probes(probes)
    if isinstance(found, Status):
        return None
    return Pictured(int(found.image_id[0]), found.path[0], read_pictures(probes)[0])


STAGE = Stage(
    name="render-activations",
    run=run,
    params=Params,
    block="render_activations",
    inputs={
        "units": "artifacts/units.h5",
        "names": "artifacts/class_names.h5",
        "dynamics": "artifacts/training_dynamics.h5",
        "manifest": "artifacts/manifest.h5",
        "probes": "artifacts/probes.h5",
    },
    outputs={"out": "artifacts/figures/activations"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
