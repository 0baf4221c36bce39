"""Draw where the network looks: covered squares, pixels that scores depend on, what classes look like."""

from collections.abc import Mapping
from pathlib import Path

from pipeline.contents.writing import new_chapter
from pipeline.figures.class_models import add_class_models
from pipeline.figures.gradients import add_gradients
from pipeline.figures.occlusion import add_occlusion
from pipeline.figures.scorecard import add_scorecard
from pipeline.formats.class_models import read_class_models
from pipeline.formats.class_names import read_class_names
from pipeline.formats.gradients import open_gradients
from pipeline.formats.occlusion import read_occlusion
from pipeline.formats.probes import read_pictured
from pipeline.formats.scorecard import read_scorecard
from pipeline.formats.status import Status
from stages.blocks.render_attribution import Params
from stages.command import Stage, execute


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/figures/attribution/`."""
    names, probes = read_class_names(paths["names"]), read_pictured(paths["probes"])
    with new_chapter(paths["out"]) as chapter:
        occlusion = read_occlusion(paths["occlusion"])
        section = chapter.section("occlusion")
        add_occlusion(section, occlusion, probes, names.of_output, shown=params.probes)
        with open_gradients(paths["gradients"]) as gradients:
            section = chapter.section("gradients")
            add_gradients(section, gradients, probes, names.of_output, shown=params.probes)
            fixed = () if isinstance(gradients, Status) else gradients.about.fixed
        add_scorecard(chapter.section("scorecard"), read_scorecard(paths["scorecard"]), probes, fixed)
        models = read_class_models(paths["class_models"])
        add_class_models(chapter.section("class_models"), models, names.of_output)


STAGE = Stage(
    name="render-attribution",
    run=run,
    params=Params,
    block="render_attribution",
    inputs={
        "occlusion": "artifacts/occlusion.h5",
        "gradients": "artifacts/gradients.h5",
        "scorecard": "artifacts/scorecard.h5",
        "class_models": "artifacts/class_models.h5",
        "probes": "artifacts/probes.h5",
        "names": "artifacts/class_names.h5",
    },
    outputs={"out": "artifacts/figures/attribution"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
