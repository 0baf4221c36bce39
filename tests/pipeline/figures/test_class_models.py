from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pipeline.contents.writing import SectionDraft
from pipeline.figures.class_models import NOTHING_MOVES, add_class_models, rising
from pipeline.formats.status import not_run
from tests.small.class_models import FOUND

NAMES = ["cat", "dog", "owl"]


def drawn(folder, found=FOUND):
    section = SectionDraft("class_models", folder)
    add_class_models(section, found, NAMES)
    return section.content()


def test_each_class_has_its_picture_and_its_course(tmp_path):
    content = drawn(tmp_path)
    (models,) = content.blocks
    first, third = (one.numbers for one in models.figures)
    assert (first["output"], first["same"]) == ("dog", 1)
    assert (third["predicted"], third["same"], third["first"], third["score"]) == ("cat", 0, -4, 4)
    numbers = content.numbers
    assert (numbers["classes"], numbers["recognised"], numbers["unmoved"]) == (2, 1, 1)
    assert (numbers["least_weight"], numbers["most_weight"]) == pytest.approx((0.1, 0.3))
    assert all((tmp_path / name).is_file() for name in content.files)
    assert len((tmp_path / "class-1.csv").read_text(encoding="utf-8").splitlines()) == 7


def test_where_no_score_moves_the_section_says_so_in_place_of_even_grey(tmp_path):
    still = np.zeros_like(FOUND.score)
    content = drawn(tmp_path, replace(FOUND, score=still))
    assert (content.status, content.reason) == (NOTHING_MOVES.state, NOTHING_MOVES.reason)
    assert not content.blocks and not list(tmp_path.iterdir())


def test_late_rise_is_a_share_of_all():
    # Of five steps the last; what did not move does not rise.
    assert rising(FOUND) == pytest.approx([0, 0, 1 / 4])


def test_grey_pictures_are_shown_too(tmp_path):
    content = drawn(tmp_path, replace(FOUND, picture=FOUND.picture[..., :1]))
    pixels = np.asarray(Image.open(tmp_path / content.blocks[0].figures[0].image).convert("RGB"))
    assert (pixels == pixels[..., :1]).all()


def test_left_out_it_says_why(tmp_path):
    assert drawn(tmp_path, not_run("class_models")).reason == "params.yaml says class_models.run: false"
