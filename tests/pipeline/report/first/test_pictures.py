from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from pipeline.report.first.pictures import CARD, MOSAIC_ROWS, card_mosaic, card_pictures


@pytest.fixture
def section(tmp_path):
    (tmp_path / "figures/labelling").mkdir(parents=True)
    return SimpleNamespace(name="labelling", folder="figures/labelling/")


def _save(folder, section, name, height, width, colour):
    pixels = np.full((height, width, 3), colour, np.uint8)
    Image.fromarray(pixels).save(folder / section.folder / name, lossless=True)


def test_images_of_a_program_stand_side_by_side_as_large_as_a_card(tmp_path, section):
    colours = [(20 * one, 0, 200) for one in range(7)]
    for one, colour in enumerate(colours):
        _save(tmp_path, section, f"{one}.webp", 40 + one, 60, colour)
    found = card_mosaic(tmp_path, section, [f"{one}.webp" for one in range(7)])
    side = CARD[1] // MOSAIC_ROWS
    with Image.open(tmp_path / str(found["image"])) as card:
        assert card.width <= CARD[0]
        assert card.height == 2 * side
        for place, colour in enumerate(colours):
            row, column = divmod(place, card.width // side)
            centre = card.convert("RGB").getpixel((column * side + side // 2, row * side + side // 2))
            assert np.abs(np.subtract(centre, colour)).max() < 12


@pytest.mark.parametrize(("size", "shown"), [((300, 300), (270, 270)), ((900, 800), (480, 270))])
def test_a_single_image_is_shown_whole_and_of_a_sheet_the_upper_part(tmp_path, section, size, shown):
    _save(tmp_path, section, "one.webp", *reversed(size), (90, 90, 90))
    found = card_pictures(tmp_path, section, "one.webp")
    with Image.open(tmp_path / str(found["image"])) as card:
        assert card.size == shown
