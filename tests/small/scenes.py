"""Runs of every kind, as their artifacts: what the sections say of them is read by tests."""

import html
import re
from dataclasses import dataclass, field, replace

import numpy as np

from pipeline.formats import neighbours, separability, similarity
from pipeline.formats.status import not_run, write_status
from stages import embedding, predictions, render_embedding, render_summary
from tests.small.artifacts import (
    INDEX,
    write_description,
    write_manifest,
    write_shards,
    write_thumbnails,
)
from tests.small.pages import page_of

PREDICTIONS = predictions.Params(bins=15, binning="width", plot_rows=100, seed=0)
SUMMARY = render_summary.Params(examples=3, example_classes=20, tile=16)
EMBEDDING = embedding.Params(
    metric="euclidean", components=10, perplexity=30, exaggeration=1, iterations=50, landmarks=1000,
    quality_sample=1000, grid_block=400, seed=0, n_jobs=1,
)  # fmt: skip
MAP = render_embedding.Params(canvas=240, tile=12, viewer_images=1000, viewer_tile=8, seed=0)


@dataclass(frozen=True)
class Scene:
    """A run.

    Attributes
    ----------
    label : (N,) int
        Classes of the images, -1 without one.
    classes, outputs
        Names of the dataset's classes and of the network's outputs.
    split
        Of each image.
    drawn
        Whether the splits were drawn here.
    training
        How the network was trained here; None: elsewhere.
    wrong
        Every so manieth image is taken for the output after its own; 0: none is.
    codes : (N, D) float or None
        None: near for images of one class.
    index_file
        Content of inputs/classes/LOC_synset_mapping.txt.
    """

    label: np.ndarray
    classes: list[str]
    outputs: list[str]
    split: list[str] = field(default_factory=list)
    drawn: bool = True
    training: dict | None = None
    wrong: int = 7
    codes: np.ndarray | None = None
    index_file: str = ""


def words_of(scene, root):
    """Return what the pages of both sections, and the first page, say of a run: plain words, one line."""
    paths = _write(scene, root)
    predictions.run(PREDICTIONS, paths | {"out": paths["predictions"]})
    embedding.run(EMBEDDING, paths | {"out": paths["embedding"]})
    pages = []
    for name, stage, params in (("summary", render_summary, SUMMARY), ("embedding", render_embedding, MAP)):
        stage.run(params, paths | {"out": root / "figures" / name})
        page = page_of(root / "figures" / name / name, root / f"of-{name}")
        pages += [plain(page), plain((root / f"of-{name}" / "report" / "index.html").read_text())]
    return " ".join(pages)


def plain(page):
    """Return the words of a page: no mark-up, every space one blank."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    inline = re.sub(r"</?(a|b|bdi|code|em|span|strong)\b[^>]*>", "", body)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", inline)).split())


def _write(scene, root):
    count = len(scene.label)
    rng = np.random.default_rng(0)
    known = np.maximum(scene.label, 0)
    said = np.where(np.arange(count) % scene.wrong == 1, known + 1, known) if scene.wrong else known
    logits = 4.0 * np.eye(len(scene.outputs))[said % len(scene.outputs)]
    codes = scene.codes
    if codes is None:
        codes = rng.normal(size=(len(scene.classes) + 1, 8))[scene.label] + 0.1 * rng.normal(size=(count, 8))
    (root / "classes").mkdir(parents=True)
    if scene.index_file:
        (root / "classes" / "LOC_synset_mapping.txt").write_text(scene.index_file)
    arrays = {"logits": logits.astype(np.float32), "codes": codes.astype(np.float32)}
    write_shards(root / "activations", replace(INDEX, images=count), np.arange(count), arrays, ())
    split = scene.split or ["train"] * count
    paths = {name: root / f"{name}.h5" for name in ("predictions", "names", "embedding")}
    paths |= {name: root / "plots" / name for name in ("confusion", "calibration", "course", "metrics")}
    for format_ in (neighbours, similarity, separability):
        name = format_.__name__.rpartition(".")[2]
        paths[name] = root / f"{name}.h5"
        write_status(paths[name], not_run(name), stage=name, version=format_.VERSION)
    drawn = count if scene.drawn else 0
    return paths | {
        "activations": root / "activations",
        "classes": root / "classes",
        "manifest": write_manifest(root / "manifest.h5", scene.label, scene.classes, split, drawn=drawn),
        "weights": write_description(root / "weights", scene.outputs, scene.training),
        "thumbnails": write_thumbnails(root / "thumbnails.h5", np.arange(count) % 200),
    }
