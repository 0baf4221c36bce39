"""Which folders of a dataset are its classes and which its splits, and what looks wrong about that.

The class of an image is the first folder that it lies in, below folders that hold nothing but one folder
(``pets/pets/cat``) and below splits: folders called ``train``, ``val`` or ``test`` with nothing beside them,
or two of them with other folders beside (``train``, ``val``, ``docs``), whose images then belong to neither.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.dataset.dataset import TAR
from pipeline.errors import some
from pipeline.manifest.record import SPLITS, canonical_split, sort_classes

# Names of folders that tell of files, not of what the pictures show.
UNLIKELY_CLASSES = frozenset(
    (
        "annotations", "data", "dataset", "docs", "image", "images", "imgs", "jpegimages", "labels", "masks",
        "photos", "pictures",
    )
)  # fmt: skip

Folders = tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """What the folders of a dataset mean.

    Attributes
    ----------
    base
        The folders that all splits, or all classes, lie in.
    above
        For each split, by the name of its folder, the folders that its classes lie in; where there are no
        splits, that of the name "".
    classes
        Names of the classes, sorted.
    beside
        Images that lie beside the splits: number by the topmost folder.
    without_image
        Folders at the height of the classes or above with files in them, but no image.
    doubts
        What looks wrong, a sentence each.
    """

    base: Folders
    above: Mapping[str, Folders]
    classes: Sequence[str]
    beside: Mapping[str, int]
    without_image: Sequence[str]
    doubts: Sequence[str]

    def label_and_split(self, path: str) -> tuple[str | None, str | None] | None:
        """Return an image's class and split, None for what it lacks; None alone for one beside the splits."""
        folders = folders_of(path)
        split = _split_of(folders, self.base, self.above)
        if split is None:
            return None
        level = len(self.above[split])
        return folders[level] if len(folders) > level else None, canonical_split(split) if split else None


def folders_of(path: str) -> Folders:
    """Return the folders that a file lies in, the tar file that it lies in left out."""
    return tuple(part for part in path.split("/")[:-1] if not part.endswith(TAR))


def read_layout(
    images: Iterable[str], skipped: Iterable[str], folders: Iterable[str], others: Iterable[str]
) -> Layout:
    """Find classes and splits by the folders of a dataset.

    Parameters
    ----------
    images
        Paths of the images.
    skipped
        Paths of what is called like an image but is no file.
    folders
        All folders, those without a file too.
    others
        The folders that files lie in which are no images.
    """
    counts = Counter(map(folders_of, images))
    base = _descend(counts, (), stopping=SPLITS)
    splits = _splits(counts, base)
    above = {split: _descend(counts, (*base, split), stopping=()) for split in splits} or {"": base}
    holding = {*counts, *map(folders_of, skipped)}
    vacant, without_image = _without_image(holding, folders, others)
    found = {split: _classes({*holding, *vacant}, below) for split, below in above.items()}
    classes = sort_classes(set().union(*found.values()))
    beside = Counter[str]()
    for layout, count in counts.items():
        if _split_of(layout, base, above) is None:
            beside["/".join(layout[: len(base) + 1]) or "the topmost folder"] += count
    deepest = max(map(len, above.values()))
    return Layout(
        base, above, classes, beside,
        without_image=["/".join(folder) for folder in without_image if len(folder) <= deepest + 1],
        doubts=_doubts(counts, above, found),
    )  # fmt: skip


def _descend(counts: Mapping[Folders, int], start: Folders, *, stopping: Collection[str]) -> Folders:
    """Go down while there is one folder, which holds no image itself and has none of the names `stopping`."""
    while True:
        below = [layout for layout in counts if layout[: len(start)] == start]
        names = {layout[len(start)] for layout in below if len(layout) > len(start)}
        if start in counts or len(names) != 1:
            return start
        inner = (*start, *names)
        if inner in counts or inner[-1].lower() in stopping:
            return start
        start = inner


def _splits(counts: Mapping[Folders, int], base: Folders) -> list[str]:
    """Return the folders below `base` that are splits."""
    names = {layout[len(base)] for layout in counts if len(layout) > len(base)}
    called = {name for name in names if name.lower() in SPLITS}
    alone = called == names and base not in counts
    several = len({canonical_split(name) for name in called}) > 1
    return sorted(called) if alone or several else []


def _split_of(folders: Folders, base: Folders, above: Mapping[str, Folders]) -> str | None:
    """Return the split that an image lies in, "" where there are none, None where it lies beside them."""
    split = "" if "" in above else next(iter(folders[len(base) :]), "")
    return split if split in above else None


def _without_image(
    holding: Collection[Folders], folders: Iterable[str], others: Iterable[str]
) -> tuple[list[Folders], list[Folders]]:
    """Return the folders with nothing in them at all, and the topmost ones with files but no image."""
    with_image = _and_above(holding)
    with_files = _and_above(folders_of(f"{folder}/") for folder in others if folder)
    bare = [layout for layout in (folders_of(f"{folder}/") for folder in folders) if layout not in with_image]
    vacant = [layout for layout in bare if layout not in with_files]
    return vacant, [
        layout for layout in bare if layout in with_files and (not layout[:-1] or layout[:-1] in with_image)
    ]


def _and_above(layouts: Iterable[Folders]) -> set[Folders]:
    """Return folders and all folders that they lie in."""
    return {layout[:length] for layout in layouts for length in range(1, len(layout) + 1)}


def _classes(layouts: Iterable[Folders], above: Folders) -> set[str]:
    """Return the names of the folders that lie in one."""
    level = len(above)
    return {layout[level] for layout in layouts if len(layout) > level and layout[:level] == above}


def _doubts(
    counts: Mapping[Folders, int],
    above: Mapping[str, Folders],
    found: Mapping[str, set[str]],
) -> list[str]:
    """Say what looks as if classes or splits were others than those that were found."""
    classes = set().union(*found.values())
    doubts = [f"all images are of one class, '{min(classes)}'"] if len(classes) == 1 else []
    doubts += [
        f"the class '{name}' is called like a split, and other folders lie beside it"
        for name in sorted(classes)
        if "" in above and name.lower() in SPLITS
    ]
    doubts += [
        f"the class '{name}' is called like a folder of files, not like what they show"
        for name in sorted(classes)
        if name.lower() in UNLIKELY_CLASSES
    ]
    labelled = {split: names for split, names in found.items() if names}
    if len(labelled) > 1 and not set.intersection(*labelled.values()):
        doubts.append(f"the splits {some(list(labelled))} have no class in common")
    doubts += [f"no image of the split '{name}' has a class" for name in found if classes and not found[name]]
    return [*doubts, *_without_class(counts, above, found), *_same_inside(counts, above)]


def _without_class(
    counts: Mapping[Folders, int], above: Mapping[str, Folders], found: Mapping[str, set[str]]
) -> Iterator[str]:
    """Say where images lie beside the folders of the classes, and so have none."""
    for split, folders in above.items():
        count = counts.get(folders, 0)
        if count and found[split]:
            place, images = "/".join(folders) or "the topmost folder", "image" if count == 1 else "images"
            verb = "has" if count == 1 else "have"
            yield f"{count} {images} in {place}, beside the folders of the classes, {verb} no class"


def _same_inside(counts: Mapping[Folders, int], above: Mapping[str, Folders]) -> list[str]:
    """Say where all classes hold the same folders and no image: those may be the classes."""
    inside: defaultdict[str, set[str]] = defaultdict(set)
    for below in above.values():
        level = len(below)
        for layout in counts:
            if len(layout) > level and layout[:level] == below:
                inside[layout[level]].add(layout[level + 1] if len(layout) > level + 1 else "")
    first = next(iter(inside.values()), set())
    if len(inside) < 2 or len(first) < 2 or "" in first or any(names != first for names in inside.values()):
        return []
    return [f"each of the classes {some(sorted(inside))} holds the same folders: {some(sorted(first))}"]
