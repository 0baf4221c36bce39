"""Draw what layers and units do: their maps on the probes, how sparse they are, which units are dead."""

from collections.abc import Mapping
from pathlib import Path

from pipeline.contents.writing import new_chapter
from pipeline.figures.activation_maps import add_activation_maps
from pipeline.figures.excited_units import add_excited_units
from pipeline.figures.probes import add_probes
from pipeline.figures.training_dynamics import add_training_dynamics
from pipeline.figures.units import add_units
from pipeline.formats.activation_maps import open_activation_maps
from pipeline.formats.class_names import read_class_names
from pipeline.formats.excited_units import ExcitedUnits, read_excited_units
from pipeline.formats.manifest import ManifestFile, open_manifest
from pipeline.formats.probes import read_pictured, read_probes
from pipeline.formats.status import Status
from pipeline.formats.training_dynamics import open_dynamics
from pipeline.formats.units import open_units
from stages.blocks.render_activations import Params
from stages.command import Stage, execute


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/figures/activations/`."""
    names, probes = read_class_names(paths["names"]), read_probes(paths["probes"])
    pictures = read_pictured(paths["probes"])
    with new_chapter(paths["out"]) as chapter:
        add_probes(chapter.section("probes"), probes, pictures, names.of_output)
        with open_activation_maps(paths["activation_maps"]) as maps:
            section = chapter.section("activation_maps")
            add_activation_maps(section, maps, pictures, shown=params.probes)
        with open_manifest(paths["manifest"]) as manifest:
            excited = read_excited_units(paths["excited_units"])
            add_excited_units(chapter.section("excited_units"), excited, _paths(manifest, excited), probes)
        with open_units(paths["units"]) as units:
            add_units(chapter.section("units"), units, names.of_class, listed=params.listed)
        with open_dynamics(paths["dynamics"]) as dynamics, open_manifest(paths["manifest"]) as manifest:
            section = chapter.section("training_dynamics")
            add_training_dynamics(section, dynamics, len(manifest), next(iter(pictures.values()), None))


def _paths(manifest: ManifestFile, found: ExcitedUnits | Status) -> list[str]:
    """Return the paths of the images whose units are known."""
    if isinstance(found, Status):
        return []
    return [path.decode() for path in manifest.take_path(found.image_id).tolist()]


STAGE = Stage(
    name="render-activations",
    run=run,
    params=Params,
    block="render_activations",
    inputs={
        "units": "artifacts/units.h5",
        "excited_units": "artifacts/excited_units.h5",
        "names": "artifacts/class_names.h5",
        "dynamics": "artifacts/training_dynamics.h5",
        "manifest": "artifacts/manifest.h5",
        "probes": "artifacts/probes.h5",
        "activation_maps": "artifacts/activation_maps.h5",
    },
    outputs={"out": "artifacts/figures/activations"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
