"""The datasets that come by name: rendered here, embedded in scikit-learn, or fetched by torchvision."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from pipeline.dataset.letters import PER_CLASS, letters
from pipeline.errors import UserError
from pipeline.progress import progress
from pipeline.store.replacing import replaced_folder
from pipeline.store.tables import write_table

# The digits' scans count dark pixels in 4x4 blocks of the bitmap: 0 to 16.
DIGITS_SCALE = 255 / 16
Named = tuple[str, Image.Image]


def write_sample(name: str, folder: Path) -> int:
    """Write a dataset as class folders of PNG files; of letters, a CSV beside them says what was drawn.

    Parameters
    ----------
    name
        "letters": rendered here, see `dataset.letters`; "digits": 1,797 scans of 8x8 pixels (Alpaydin &
        Kaynak 1998), embedded in scikit-learn; "cifar10", "imagenette": downloaded and checked by
        torchvision's own classes; "none": an empty folder.
    folder
        Replaced, once the whole sample is there.

    Returns
    -------
    int
        The number of images written.

    Raises
    ------
    UserError
        If the dataset is unknown or cannot be downloaded.
    """
    if name not in SOURCES:
        raise UserError(f"sample: unknown dataset '{name}'; valid: {', '.join(SOURCES)}")
    with replaced_folder(folder) as unfinished:
        count, images = SOURCES[name](unfinished)
        with progress("writing", total=count, unit="images") as bar:
            for path, image in images:
                target = unfinished / path
                target.parent.mkdir(parents=True, exist_ok=True)
                image.save(target)
                bar.advance()
        shutil.rmtree(unfinished / DOWNLOADS, ignore_errors=True)
    return count


DOWNLOADS = "_downloads"
LETTERS_TABLE = "letters.csv"
BOX = ("x0", "y0", "x1", "y1")


def _letters(folder: Path) -> tuple[int, Iterator[Named]]:
    """Name each letter's file; the CSV is written when all are drawn."""

    def images() -> Iterator[Named]:
        rows = []
        for number, letter in enumerate(letters()):
            path = f"{letter.label}/{number % PER_CLASS:04d}.png"
            rows.append((path, letter.label, *letter.box, *letter.attributes.values()))
            yield path, letter.pixels
        write_table(folder / LETTERS_TABLE, ("path", "label", *BOX, *letter.attributes), rows)

    return len(ascii_uppercase) * PER_CLASS, images()


def _digits(_folder: Path) -> tuple[int, Iterator[Named]]:
    scans = load_digits()
    pixels = np.round(scans.images * DIGITS_SCALE).astype(np.uint8)
    named = (
        (f"{label}/{number:04d}.png", Image.fromarray(image))
        for number, (label, image) in enumerate(zip(scans.target.tolist(), pixels, strict=True))
    )
    return len(pixels), named


def _cifar10(folder: Path) -> tuple[int, Iterator[Named]]:
    from torchvision.datasets import CIFAR10

    downloads = str(folder / DOWNLOADS)
    with _downloading("cifar10"):
        parts = {
            "train": CIFAR10(downloads, train=True, download=True),
            "test": CIFAR10(downloads, train=False, download=True),
        }
    return _named(parts, lambda name: name)


def _imagenette(folder: Path) -> tuple[int, Iterator[Named]]:
    from torchvision.datasets import Imagenette

    downloads = str(folder / DOWNLOADS)
    with _downloading("imagenette"):
        parts = {
            "train": Imagenette(downloads, split="train", size="320px", download=True),
            "test": Imagenette(downloads, split="val", size="320px", download=True),
        }
    # Imagenette lists every synonym of a class; the first is the name that torchvision's weights use.
    return _named(parts, lambda names: names[0])


def _named(parts: Mapping[str, Any], name: Callable[[Any], str]) -> tuple[int, Iterator[Named]]:
    """Return how many images torchvision's datasets have, and each with its path."""

    def images() -> Iterator[Named]:
        for split, part in parts.items():
            for number, (image, label) in enumerate(part):
                yield f"{split}/{name(part.classes[label])}/{number:05d}.png", image

    return sum(len(part) for part in parts.values()), images()


@contextmanager
def _downloading(name: str) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise UserError(
            f"sample: '{name}' cannot be downloaded ({error}); connect, or set dataset.path"
        ) from error


def _none(_folder: Path) -> tuple[int, Iterator[Named]]:
    return 0, iter(())


SOURCES: dict[str, Callable[[Path], tuple[int, Iterator[Named]]]] = {
    "letters": _letters,
    "digits": _digits,
    "cifar10": _cifar10,
    "imagenette": _imagenette,
    "none": _none,
}
