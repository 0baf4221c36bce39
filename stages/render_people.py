"""Draw how people and the network compare, and the page on which people label."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.analyses.humans.choices import DIGITS
from pipeline.analyses.humans.trials import Trial, draw_trials, find_trials
from pipeline.analyses.patches.patches import Patch, cut_patch
from pipeline.contents.writing import new_chapter
from pipeline.dataset.originals import originals
from pipeline.figures.drawing.mosaic import scale
from pipeline.figures.drawing.tiles import hatched
from pipeline.figures.human_scores import add_human_scores
from pipeline.figures.humans import Shown, add_humans
from pipeline.figures.labelling import Labelling, add_labelling
from pipeline.figures.trials import Asked
from pipeline.formats.class_names import read_class_names
from pipeline.formats.contrasts import KINDS, ContrastsFile, open_contrasts
from pipeline.formats.humans import Humans, read_people
from pipeline.formats.manifest import ManifestFile, open_manifest
from pipeline.formats.patches import PatchesFile, open_patches
from pipeline.formats.predictions import Evaluated, read_predictions
from pipeline.formats.status import Status
from pipeline.formats.thumbnails import ThumbnailFile, open_thumbnails
from pipeline.formats.topk import open_topk
from pipeline.formats.weights import read_description
from pipeline.images.decoding import ImageError
from pipeline.images.way_back import view
from stages.blocks.render_people import Params
from stages.command import Stage, execute

NO_CLASSES = Status(
    "not applicable",
    "the images that can be shown have fewer than two classes that are outputs of the network, so there is "
    "nothing to choose from",
)

NO_PICTURES = Status("not applicable", "none of the images that would be shown can be read any more")
NOT_ASKED = Status("not run", "params.yaml says render_people.asked: 0")
NO_PAIRS = Status(
    "not applicable",
    "no unit that is drawn has a strong and a weak image beside its strongest ones, that can be read",
)
# The split that networks are trained on here, and what is said of the accuracy of one that was.
TRAIN, TRAINED_HERE = "train", ("held out", "trained on")

Ids = NDArray[np.int64]


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write `artifacts/figures/people/`."""
    found = read_people(paths["humans"])
    shown = found.humans if isinstance(found.humans, Status) else _shown(found.humans, paths)
    with new_chapter(paths["out"]) as chapter:
        add_humans(chapter.section("humans"), shown, listed=params.listed)
        add_human_scores(chapter.section("human_scores"), found.choices)
        network = read_description(paths["weights"]).digest[:DIGITS]
        asked = questions(params, paths)
        add_labelling(chapter.section("labelling"), _labelling(params, paths), asked, network)


def _shown(found: Humans, paths: Mapping[str, Path]) -> Shown:
    """Give what people said the names of images and classes."""
    many = () if found.doubt is None else found.doubt.image_id.tolist()
    ids = sorted({*found.answers.image_id.tolist(), *many})
    with open_manifest(paths["manifest"]) as manifest:
        names, split = manifest.path(), np.array(manifest.split(), np.str_)[found.network.image_id]
    called = read_class_names(paths["names"]).of_class
    known = _known(split, read_predictions(paths["predictions"]))
    return Shown(found, {image: names[image] for image in ids}, called, *known)


def _known(split: NDArray[np.str_], evaluated: Evaluated) -> tuple[int, int]:
    """Return on how many images of these splits the network was trained, and on how many it may have been."""
    if evaluated.basis in TRAINED_HERE:
        return int((split == TRAIN).sum()), 0
    return 0, int((split != evaluated.held_out).sum())


def _labelling(params: Params, paths: Mapping[str, Path]) -> Labelling | Status:
    """Draw images to label from those that the accuracy is of, and examples from the others."""
    with open_manifest(paths["manifest"]) as manifest, open_thumbnails(paths["thumbnails"]) as thumbnails:
        usable, counted = _usable(paths["predictions"], manifest, thumbnails)
        label = manifest.label()
        present = np.unique(label[usable])
        if len(present) < 2:
            return NO_CLASSES
        drawn = np.random.default_rng(params.seed).permutation(counted)[: params.to_label]
        rest = usable[~np.isin(usable, drawn)]
        # Those that are never asked about come first: not all images may be on the page.
        rest = np.concatenate([rest[~np.isin(rest, counted)], rest[np.isin(rest, counted)]])
        of_class = [rest[label[rest] == one][: params.examples] for one in present]
        ends = np.cumsum([0, *map(len, of_class)])
        called = read_class_names(paths["names"]).of_class
        pictures, reduced = _pictures(manifest, drawn, params.side)
        if not pictures:
            return NO_PICTURES
        path = [name.decode() for name in manifest.take_path(np.array(list(pictures))).tolist()]
        return Labelling(
            path, list(pictures.values()), _tiles(thumbnails, np.concatenate(of_class)),
            [manifest.class_names[one] for one in present], [called[one] for one in present],
            [range(start, end) for start, end in zip(ends[:-1], ends[1:], strict=True)],
            params.side if reduced else None,
        )  # fmt: skip


def questions(params: Params, paths: Mapping[str, Path]) -> list[Asked] | Status:
    """Draw which units people are asked about, and put pictures to that.

    Returns
    -------
    list of Asked, or Status
        Without those whose strong image cannot be read any more; or why there are none: none are wanted, the
        units' weakest images were not looked for, or no unit has images enough.
    """
    if not params.asked:
        return NOT_ASKED
    with (
        open_contrasts(paths["contrasts"]) as contrasts,
        open_patches(paths["patches"]) as patches,
        open_topk(paths["topk"]) as topk,
        open_manifest(paths["manifest"]) as manifest,
    ):
        if isinstance(contrasts, Status):
            return contrasts
        found = {}
        for name in patches.about.layers:
            weakest = contrasts.kind(name, KINDS[0])
            found[name] = list(find_trials(name, patches.layer(name), topk.layer(name), weakest))
        trials = draw_trials(found, params.asked, params.seed)
        strong = _cut_strong(trials, manifest, paths["weights"], patches.about.size)
        pairs = zip(trials, strong, strict=True)
        return [_asked(one, cut, patches, contrasts, manifest) for one, cut in pairs if cut] or NO_PAIRS


def _asked(
    trial: Trial, strong: Patch, patches: PatchesFile, contrasts: ContrastsFile, manifest: ManifestFile
) -> Asked:
    """Put pictures to a question."""
    weakest = contrasts.patches(trial.layer, KINDS[0], trial.row)
    weak = hatched(weakest.pixels[trial.place], weakest.mask[trial.place])
    sides = [(trial.strong, hatched(strong.pixels, strong.mask)), (trial.weak, weak)]
    if not trial.strong_left:
        sides.reverse()
    left, right = manifest.take_path(np.array([image for image, _ in sides])).tolist()
    shown = patches.patches(trial.layer, trial.row)
    pixels, mask = shown.pixels[: trial.nine], shown.mask[: trial.nine]
    nine = [hatched(*tile) for tile in zip(pixels, mask, strict=True)]
    pair = [picture for _, picture in sides]
    return Asked(trial.layer, trial.unit, (left.decode(), right.decode()), nine, pair)


def _cut_strong(
    trials: Sequence[Trial], manifest: ManifestFile, weights: Path, size: int
) -> Iterator[Patch | None]:
    """Yield what the unit sees of each strong image; None where that cannot be read."""
    source = originals(manifest, np.unique([one.strong for one in trials]))
    preprocessing = read_description(weights).preprocessing
    for one in trials:
        try:
            rgb = source.read(one.strong)
        except ImageError:
            yield None
            continue
        yield cut_patch(rgb, one.box, view(rgb.shape[1], rgb.shape[0], preprocessing), size)


def _usable(predictions: Path, manifest: ManifestFile, thumbnails: ThumbnailFile) -> tuple[Ids, Ids]:
    """Return the images with a picture and a label that is an output, and those that the accuracy is of."""
    evaluated = read_predictions(predictions)
    known = evaluated.image_id[evaluated.label >= 0]
    usable = known[np.isin(known, thumbnails.image_id[thumbnails.size.all(axis=1)])]
    split = np.array(manifest.split(), dtype=np.str_)[usable]
    return usable, usable[split == evaluated.held_out] if evaluated.held_out else usable


def _pictures(manifest: ManifestFile, image_id: Ids, side: int) -> tuple[dict[int, NDArray[np.uint8]], bool]:
    """Read images, and reduce those that are larger; say whether one is.

    One that cannot be read any more is left out.
    """
    source, pictures, reduced = originals(manifest, np.sort(image_id)), {}, False
    for image in image_id.tolist():
        try:
            picture = Image.fromarray(source.read(image))
        except ImageError:
            continue
        reduced = reduced or max(picture.size) > side
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        pictures[image] = np.asarray(picture)
    return pictures, reduced


def _tiles(thumbnails: ThumbnailFile, image_id: Ids) -> NDArray[np.uint8]:
    """Read pictures of some images, (n, s, s, 4)."""
    rows = np.searchsorted(thumbnails.image_id, image_id)
    tiles: dict[int, NDArray[np.uint8]] = {}
    for row in np.unique(rows).tolist():
        pixels, (width, height) = thumbnails.pixels(slice(row, row + 1))[0], thumbnails.size[row].tolist()
        tiles[row] = scale(pixels, (width, height), len(pixels))
    side = thumbnails.pixels(slice(0, 1)).shape[1]
    return np.array([tiles[row] for row in rows.tolist()], np.uint8).reshape(-1, side, side, 4)


STAGE = Stage(
    name="render-people",
    run=run,
    params=Params,
    block="render_people",
    inputs={
        "humans": "artifacts/humans.h5",
        "names": "artifacts/class_names.h5",
        "manifest": "artifacts/manifest.h5",
        "predictions": "artifacts/predictions.h5",
        "thumbnails": "artifacts/thumbnails.h5",
        "patches": "artifacts/patches.h5",
        "contrasts": "artifacts/contrasts.h5",
        "topk": "artifacts/topk.h5",
        "weights": "artifacts/weights",
    },
    outputs={"out": "artifacts/figures/people"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
