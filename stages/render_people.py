"""Draw how people and the network compare."""

from collections.abc import Mapping
from pathlib import Path

from pipeline.contents.writing import new_chapter
from pipeline.figures.humans import Shown, add_humans
from pipeline.formats.class_names import read_class_names
from pipeline.formats.humans import Humans, read_humans
from pipeline.formats.manifest import open_manifest
from pipeline.formats.status import Status
from stages.blocks.render_people import Params
from stages.command import Stage, execute


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/figures/people/`."""
    found = read_humans(paths["humans"])
    shown = found if isinstance(found, Status) else _shown(found, paths)
    with new_chapter(paths["out"]) as chapter:
        add_humans(chapter.section("humans"), shown, listed=params.listed)


def _shown(found: Humans, paths: Mapping[str, Path]) -> Shown:
    """Give what people said the names of images and classes."""
    many = () if found.doubt is None else found.doubt.image_id.tolist()
    ids = sorted({*found.answers.image_id.tolist(), *many})
    with open_manifest(paths["manifest"]) as manifest:
        names = manifest.path()
    return Shown(found, {image: names[image] for image in ids}, read_class_names(paths["names"]).of_class)


STAGE = Stage(
    name="render-people",
    run=run,
    params=Params,
    block="render_people",
    inputs={
        "humans": "artifacts/humans.h5",
        "names": "artifacts/class_names.h5",
        "manifest": "artifacts/manifest.h5",
    },
    outputs={"out": "artifacts/figures/people"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
