"""Draw the patches that activate each unit most, layer by layer and unit by unit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contents import blocks
from pipeline.contents.parts import LayerPart
from pipeline.contents.writing import SectionDraft, new_chapter
from pipeline.figures.concepts import add_concepts
from pipeline.figures.contrasts import add_contrasts
from pipeline.figures.directions import add_directions, shown_images
from pipeline.figures.outlines import LayerOutlines, add_outlines
from pipeline.figures.patches import LayerFiles
from pipeline.figures.projections import add_projections
from pipeline.figures.similar_units import add_similar_units
from pipeline.figures.top_labels import add_top_labels
from pipeline.figures.undrawn import add_undrawn, winners
from pipeline.figures.whole_images import draw_whole_images
from pipeline.figures.winners import Names, count_tied
from pipeline.formats.class_names import read_class_names
from pipeline.formats.concepts import open_concepts
from pipeline.formats.contrasts import open_contrasts
from pipeline.formats.directions import DirectionsFile, open_directions
from pipeline.formats.manifest import ManifestFile, open_manifest
from pipeline.formats.outlines import OutlinesFile, open_outlines
from pipeline.formats.patches import DrawnLayer, PatchesFile, open_patches
from pipeline.formats.projections import open_projections
from pipeline.formats.similar_units import read_similar_units
from pipeline.formats.status import Status
from pipeline.formats.topk import TopkFile, open_topk
from pipeline.formats.units import open_units
from pipeline.parallel.processes import count_workers
from pipeline.progress import progress
from stages.blocks.render_patches import Params
from stages.command import Stage, execute


@dataclass(frozen=True)
class Sources:
    """What the patches are drawn from: what was cut, the ranking, outlines if there are any, and names."""

    patches: PatchesFile
    ranking: TopkFile
    outlines: OutlinesFile | Status
    names: Names


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/figures/patches/`."""
    with (
        open_patches(paths["patches"]) as patches,
        open_topk(paths["topk"]) as ranking,
        open_manifest(paths["manifest"]) as manifest,
        open_outlines(paths["outlines"]) as outlines,
        open_contrasts(paths["contrasts"]) as contrasts,
        open_directions(paths["directions"]) as directions,
        open_concepts(paths["concepts"]) as concepts,
        open_projections(paths["projections"]) as projections,
        open_units(paths["units"]) as units,
        new_chapter(paths["out"]) as chapter,
    ):
        classes, threads = read_class_names(paths["names"]).of_class, count_workers()
        names = _names(manifest, classes, _named(patches, ranking, directions))
        sources = Sources(patches, ranking, outlines, names)
        _draw_units(chapter.section("patches"), sources, params.units, threads)
        add_outlines(chapter.section("outlines"), outlines, patches.about.images)
        add_contrasts(chapter.section("contrasts"), contrasts, patches, threads=threads)
        add_top_labels(chapter.section("top_labels"), units, manifest.label(), classes)
        similar = read_similar_units(paths["similar_units"])
        add_similar_units(chapter.section("similar_units"), similar, _drawn(patches))
        add_directions(chapter.section("directions"), directions, names)
        add_concepts(chapter.section("concepts"), concepts)
        add_projections(chapter.section("projections"), projections, patches, names, threads=threads)


def _names(manifest: ManifestFile, classes: Sequence[str], image_id: NDArray[np.int64]) -> Names:
    ids = image_id.tolist()
    paths = [path.decode() for path in manifest.take_path(image_id).tolist()]
    labels = [classes[label] if label >= 0 else None for label in manifest.take_label(image_id).tolist()]
    return Names(dict(zip(ids, paths, strict=True)), dict(zip(ids, labels, strict=True)))


def _named(patches: PatchesFile, ranking: TopkFile, directions: DirectionsFile | Status) -> NDArray[np.int64]:
    """Return the images that are named, each once, ascending."""
    ranked = (ranking.layer(name) for name in ranking.about.layers)
    named = np.union1d(patches.image_id, winners(ranked, ranking.about.k))
    return np.union1d(named, shown_images(directions)) if isinstance(directions, DirectionsFile) else named


def _draw_units(section: SectionDraft, sources: Sources, overview: int, threads: int) -> None:
    """Draw the patches of all layers; those of `overview` units of each side by side."""
    source, ranking, outlines = sources.patches, sources.ranking, sources.outlines
    layers = {name: source.layer(name) for name in source.about.layers}
    section.numbers |= _numbers(source, list(layers.values())) | _half_precision(ranking)
    shown = np.concatenate([layer.image_id.ravel() for layer in layers.values()])
    whole = draw_whole_images(section, source, shown, threads=threads)
    with progress("drawing", total=len(ranking.about.layers), unit="layers") as bar:
        for name in ranking.about.layers:
            part = LayerPart(layer=name)
            if name in layers:
                outlined = LayerOutlines(outlines, name) if isinstance(outlines, OutlinesFile) else None
                files = LayerFiles(section.folder, name, layers[name], source, sources.names, whole, outlined)
                part = files.draw(overview, threads=threads)
            section.layers.append(add_undrawn(part, ranking.layer(name), ranking.about, sources.names))
            bar.advance()
    section.add(blocks.Units(id="units", caption="units", layers=tuple(layers)))


def _drawn(patches: PatchesFile) -> dict[str, set[int]]:
    """Return the drawn units of each layer."""
    return {name: set(patches.layer(name).unit.tolist()) for name in patches.about.layers}


def _half_precision(ranking: TopkFile) -> dict[str, float]:
    """Say how far the winners are those of half precision, and how many are lacking; nothing in float32."""
    about, layers = ranking.about, [ranking.layer(name) for name in ranking.about.layers]
    if about.images_again is None or about.images_by_lot is None:
        return {}
    # NaN where no unit of the layer is active.
    overlap = [layer.overlap for layer in layers if layer.overlap is not None and not np.isnan(layer.overlap)]
    lost = [(layer.lost or 0.0) * len(layer.value) for layer in layers]
    return ({"overlap": float(np.mean(overlap))} if overlap else {}) | {
        "lost": sum(lost) / sum(len(layer.value) for layer in layers),
        "images_again": about.images_again,
        "images_by_lot": about.images_by_lot,
    }


def _numbers(source: PatchesFile, layers: Sequence[DrawnLayer]) -> dict[str, float]:
    return {
        "k": source.about.k,
        "images": source.about.images,
        "images_shown": len(source.image_id),
        "layers": len(layers),
        "units": sum(layer.units for layer in layers),
        "units_drawn": sum(len(layer.unit) for layer in layers),
        "units_never_active": sum(layer.units_never_active for layer in layers),
        "units_tied": sum(map(count_tied, layers)),
        "layers_by_input": sum(layer.input is not None for layer in layers),
        "passed_over": sum(int(layer.passed_over.sum()) for layer in layers),
    }


STAGE = Stage(
    name="render-patches",
    run=run,
    params=Params,
    block="render_patches",
    inputs={
        "patches": "artifacts/patches.h5",
        "outlines": "artifacts/outlines.h5",
        "projections": "artifacts/projections.h5",
        "contrasts": "artifacts/contrasts.h5",
        "similar_units": "artifacts/similar_units.h5",
        "directions": "artifacts/directions.h5",
        "concepts": "artifacts/concepts.h5",
        "units": "artifacts/units.h5",
        "topk": "artifacts/topk.h5",
        "manifest": "artifacts/manifest.h5",
        "names": "artifacts/class_names.h5",
    },
    outputs={"out": "artifacts/figures/patches"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
