import csv
import re

import numpy as np
import pytest

from pipeline.contents.writing import new_chapter
from pipeline.figures.similarity import add_similarity, shown_checkpoints
from pipeline.formats.similarity import Similarity, Training
from pipeline.formats.status import not_run
from tests.small.pages import page_of, title_of

LAYERS = ("a", "b", "c", "d")
CKA = np.array([[1, 0.9, 0.4, -0.01], [0.9, 1, 0.6, 0.2], [0.4, 0.6, 1, 0.8], [-0.01, 0.2, 0.8, 1]])
OWN = np.array([[0.5, 0.3, 0.2, 0.1], [0.95, 0.7, 0.92, 0.5], [0.93, 0.91, 0.6, 0.7], [1, 1, 1, 1]])


def training(own=OWN, epoch=(0, 1, 4, 9)):
    matrices = np.stack([np.where(np.eye(4, dtype=bool), values[:, None], CKA) for values in own])
    return Training(tuple(f"epoch-{one}" for one in epoch), np.array(epoch), matrices)


@pytest.fixture
def draw(tmp_path):
    def made(cka=CKA, halves=None, course=None):
        halves = np.stack([CKA, CKA - 0.03]) if halves is None else halves
        found = Similarity(LAYERS, np.arange(90), cka, halves, course)
        with new_chapter(tmp_path / "embedding") as chapter:
            section = chapter.section("similarity")
            add_similarity(section, found)
        folder = tmp_path / "embedding/similarity"
        page = page_of(folder, tmp_path)
        return section.content(), folder, " ".join(re.sub("<[^>]*>", "", page).split())

    return made


def test_the_least_and_the_most_alike_neighbours_are_named(draw):
    content, folder, page = draw()
    assert "b and c differ most (0.60), a and b least (0.90)" in page
    assert "Between the first, a, and the last, d, CKA is −0.01." in page
    assert "two halves of the images, 45 each, no value differs by more than 0.03" in page
    assert "While it was trained" not in page
    assert content.blocks[0].evidence.n == 90
    with (folder / "network.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16 and float(rows[1]["cka"]) == 0.9


def test_layers_arrive_where_they_stay(draw):
    content, _, page = draw(course=training())
    # a from epoch 1 on; b from 4; c falls back, and d never comes near: not before the end, epoch 9.
    assert (
        "The first to come to 0.9 or more and stay there is a (epoch 1); 2 of 4 have not by epoch 4, the "
        "last checkpoint before the end." in page
    )
    assert "order" not in content.numbers
    (block,) = [one for one in content.blocks if one.kind == "multiples"]
    assert [one.id for one in block.figures] == ["course", "checkpoint-0", "checkpoint-1", "checkpoint-2"]
    assert "Epoch 0 beside the end: a layer’s CKA with itself is 0.28 on average" in page
    assert "At the initialisation layers have a CKA of 0.28 on average with themselves" in page


def test_layers_that_all_come_before_the_end_have_an_order(draw):
    own = np.array([[0.5, 0.3, 0.2, 0.1], [0.95, 0.7, 0.5, 0.5], [0.93, 0.91, 0.92, 0.95], [1, 1, 1, 1]])
    content, _, page = draw(course=training(own))
    assert "The first to come to 0.9 or more and stay there is a (epoch 1), the last d (epoch 4)." in page
    assert content.numbers["order"] == pytest.approx(np.corrcoef([0, 1, 2, 3], [0, 2, 2, 2])[0, 1])


def test_layers_that_arrive_together_have_no_order(draw):
    content, _, page = draw(course=training(np.array([[0.1] * 4, [0.95] * 4, [1.0] * 4]), (3, 5, 8)))
    assert "All have come to 0.9 or more by epoch 5" in page
    assert "order" not in content.numbers
    assert "At the first checkpoint, 3," in page


def test_to_be_at_the_end_what_a_layer_is_then_is_no_arrival(draw):
    content, _, page = draw(course=training(np.array([[0.1] * 4, [0.2] * 4, [1.0] * 4]), (3, 5, 8)))
    assert "None has come to 0.9 to stay there before the end: not by epoch 5, the last checkpoint" in page
    assert content.numbers["at_end"] == 4 and "order" not in content.numbers


def test_of_two_checkpoints_the_second_is_the_network_and_nothing_arrives(draw):
    _, _, page = draw(course=training(np.array([[0.1] * 4, [1.0] * 4]), (3, 8)))
    assert "layers have a CKA of 0.10 on average with themselves at the end." in page
    assert "or more" not in page


def test_a_layer_that_tells_nothing_apart_is_crossed_out_and_said(draw):
    cka = CKA.copy()
    cka[1], cka[:, 1] = np.nan, np.nan
    content, _, page = draw(cka, np.zeros((0, 4, 4)))
    assert "1 layer tells no images apart and is crossed out" in page
    assert "apart" not in content.numbers and "halves" not in page


def test_checkpoints_are_spread_evenly_and_the_last_is_not_drawn():
    assert shown_checkpoints(2) == [0]
    assert shown_checkpoints(7) == [0, 1, 2, 3, 4, 5]
    assert shown_checkpoints(22) == [0, 4, 8, 12, 16, 20]


def test_the_section_without_data_says_why(tmp_path):
    with new_chapter(tmp_path / "x") as chapter:
        section = chapter.section("similarity")
        add_similarity(section, not_run("similarity"))
    assert section.content().reason == "params.yaml says similarity.run: false"


@pytest.mark.parametrize(
    ("numbers", "title"),
    [
        ({}, "How layers come to be what they are"),
        (
            {"known": 4, "at_first": 0.284},
            "At the first checkpoint layers have a CKA of 0.28 with themselves at the end",
        ),
        ({"known": 4, "at_end": 4}, "No layer comes near to its final form before the end"),
        ({"known": 1, "at_end": 1}, "The layer does not come near to its final form before the end"),
        (
            {"known": 4, "at_end": 0, "all_at_once": 1},
            "All layers come near to their final form by epoch 5",
        ),
        ({"known": 1, "at_end": 0, "all_at_once": 1}, "The layer comes near to its final form by epoch 5"),
        (
            {"known": 4, "at_end": 0, "all_at_once": 0, "late": "8"},
            "Layers come near to their final form between epochs 5 and 8",
        ),
    ],
)
def test_the_title_says_when_layers_come_to_stay(numbers, title):
    assert title_of("similarity", "course", {"numbered": 1, "early": "5", **numbers}) == title


def test_a_checkpoint_at_which_no_layer_tells_images_apart_says_nothing_of_them():
    assert title_of("similarity", "checkpoint", {"numbered": 0, "checkpoint": "a"}) == "a beside the end"
