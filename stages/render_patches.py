"""Draw the patches that activate each unit most, layer by layer and unit by unit."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pipeline import store
from pipeline.contents import blocks
from pipeline.contents.writing import new_chapter
from pipeline.dataset.originals import take_rows
from pipeline.figures.patch_file import Names, PatchFile
from pipeline.figures.patches import LayerFiles
from pipeline.parallel.processes import count_workers
from pipeline.progress import progress
from stages.blocks.render_patches import Params
from stages.command import Stage, execute


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/figures/patches/`."""
    with (
        store.read(paths["patches"]) as file,
        store.read(paths["manifest"]) as manifest,
        new_chapter(paths["out"]) as chapter,
    ):
        source = PatchFile(file)
        names = _names(manifest, source.image_ids())
        section = chapter.section("patches")
        section.numbers |= _numbers(source)
        with progress("drawing", total=len(source.layers), unit="layers") as bar:
            for layer in source.layers:
                files = LayerFiles(section.folder, layer, source, names)
                section.layers.append(files.draw(params.units, threads=count_workers()))
                bar.advance()
        section.add(blocks.Units(id="units", caption="units", layers=tuple(source.layers)))


def _names(manifest: store.Reader, image_ids: np.ndarray) -> Names:
    paths = [path.decode() for path in take_rows(manifest, "path", image_ids).tolist()]
    labels = take_rows(manifest, "label", image_ids).tolist()
    classes = manifest.strings("class_names")
    return Names(
        dict(zip(image_ids.tolist(), paths, strict=True)),
        {
            image_id: classes[label] if label >= 0 else None
            for image_id, label in zip(image_ids.tolist(), labels, strict=True)
        },
    )


def _numbers(source: PatchFile) -> dict[str, float]:
    about = [source.attributes(layer) for layer in source.layers]
    arrays = [source.arrays(layer) for layer in source.layers]
    # Of activations in half precision alone; NaN where no unit of the layer is active.
    overlap = [layer["overlap"] for layer in about if not np.isnan(layer.get("overlap", np.nan))]
    return ({"overlap": float(np.mean(overlap))} if overlap else {}) | {
        "k": source.k,
        "images": source.images,
        "images_shown": len(source.image_ids()),
        "layers": len(source.layers),
        "units": sum(int(layer["units"]) for layer in about),
        "units_drawn": sum(len(layer["unit"]) for layer in arrays),
        "units_never_active": sum(int(layer["units_never_active"]) for layer in about),
        "passed_over": sum(int(layer["passed_over"].sum()) for layer in arrays),
    }


STAGE = Stage(
    name="render-patches",
    run=run,
    params=Params,
    block="render_patches",
    inputs={"patches": "artifacts/patches.h5", "manifest": "artifacts/manifest.h5"},
    outputs={"out": "artifacts/figures/patches"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
