"""A dataset of photo-like JPEG files of any size, to measure on: `python -m benchmarks.photographs FOLDER`.

Natural images have amplitude spectra that fall as 1/f (Field 1987) and correlated colours; edges come from
occluding shapes. So each picture is coloured 1/f noise with a few blurred discs over it, saved at quality 90:
files of about 110 KB at 500x375, as those of ImageNet are.
"""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = 10
QUALITY = 90


def photograph(seed: int, width: int = 500, height: int = 375) -> Image.Image:
    """Make one picture from its seed."""
    rng = np.random.default_rng(seed)
    spectrum = _falling_spectrum(height, width)
    noise = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(3, height, width))) * spectrum, s=(height, width))
    # Luminance carries most of the contrast of a photograph, the two colour differences a quarter of it.
    mixed = np.stack([noise[0] + 0.25 * noise[1], noise[0] - 0.12 * noise[1], noise[0] + 0.25 * noise[2]], -1)
    mixed = 118 + 55 * mixed / mixed.std()
    rows, columns = np.mgrid[:height, :width]
    for _ in range(rng.integers(2, 7)):
        centre, radius = rng.uniform((0, 0), (height, width)), rng.uniform(20, 90)
        distance = np.hypot(rows - centre[0], columns - centre[1])
        cover = np.clip(radius - distance, 0, 1)[..., None]
        mixed = mixed * (1 - cover) + cover * (0.4 * mixed + rng.uniform(20, 150, 3))
    return Image.fromarray(np.clip(mixed, 0, 255).astype(np.uint8))


def _falling_spectrum(height: int, width: int) -> np.ndarray:
    frequency = np.hypot(np.fft.fftfreq(height)[:, None] * height, np.fft.rfftfreq(width)[None] * width)
    return 1 / np.maximum(frequency, 1)


def write(number: int, folder: Path, width: int, height: int) -> None:
    """Write picture `number` into its class folder."""
    photograph(number, width, height).save(
        folder / f"{number % CLASSES:02d}" / f"{number:08d}.jpg", quality=QUALITY
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the dataset."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.photographs", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--width", type=int, default=500)
    parser.add_argument("--height", type=int, default=375)
    options = parser.parse_args(arguments)
    for label in range(CLASSES):
        (options.folder / f"{label:02d}").mkdir(parents=True, exist_ok=True)
    task = partial(write, folder=options.folder, width=options.width, height=options.height)
    with ProcessPoolExecutor() as pool:
        list(pool.map(task, range(options.count), chunksize=16))
    return 0


if __name__ == "__main__":
    sys.exit(main())
