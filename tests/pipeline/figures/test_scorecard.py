import csv
import re
from dataclasses import replace

import numpy as np
import pytest

from pipeline.contents.writing import SectionDraft, new_chapter
from pipeline.figures.scorecard import add_scorecard
from pipeline.formats.probes import Pictured
from pipeline.formats.scorecard import Likeness
from pipeline.formats.status import not_run
from pipeline.report.captions import read_caption
from pipeline.report.wording import line
from tests.small.pages import page_of, title_of
from tests.small.scorecard import scorecard

PROBES = {row: Pictured(row, f"a/{row}.png", np.zeros((8, 8, 3), np.uint8)) for row in range(8)}


def drawn(folder, **changed):
    section = SectionDraft("scorecard", folder)
    add_scorecard(section, scorecard(**changed), PROBES)
    return section.content()


def test_what_fails_comes_first_and_each_method_has_its_verdict(tmp_path):
    content = drawn(tmp_path)
    verdicts = [block.numbers for block in content.blocks if block.kind == "text"]
    assert [one["name"] for one in verdicts] == ["Guided backprop", "Occlusion", "Saliency"]
    assert [(one["order"], one["weights"]) for one in verdicts] == [
        ("passes", "fails"), ("fails", "passes"), ("passes", "passes"),
    ]  # fmt: skip
    assert verdicts[0]["alike"] == pytest.approx(0.9, abs=0.05) and verdicts[0]["alike_n"] == 8
    numbers = content.numbers
    assert (numbers["failing"], numbers["failing_names"]) == (2, "Guided backprop, Occlusion")
    assert (numbers["passing"], numbers["unknown"]) == (1, 0)
    assert title_of("scorecard", "courses", numbers) == "2 of 3 methods beat an order of pixels by lot"
    assert (
        title_of("scorecard", "likeness", numbers)
        == "The maps of 2 of 3 methods change with the weights, of 1 too little"
    )
    assert all((tmp_path / name).is_file() for name in content.files)


def test_tables_hold_areas_likeness_and_hits_beside_the_middle_s(tmp_path):
    tables = {block.id: block for block in drawn(tmp_path).blocks if block.kind == "table"}
    areas = {row[0]: row[1:] for row in tables["areas"].rows}
    assert list(areas) == ["Saliency", "Guided backprop", "Occlusion", "From the middle", "By lot"]
    assert areas["By lot"][1] is None and areas["Saliency"][1][0] > 0
    assert tables["areas"].evidence.n == 8 and tables["alikeness"].evidence.n == 8
    assert tables["pointing"].rows[0][1] == (4, 4) and tables["pointing"].rows[-1][:2] == (
        "From the middle", (0, 4),
    )  # fmt: skip
    # Of all four the difference is 1: each sample of a bootstrap would say so, and that is no certainty.
    assert tables["pointing"].rows[0][3:] == (1, None)


def test_a_verdict_says_how_alike_maps_are_at_the_first_step_and_the_last(tmp_path):
    found = scorecard()
    found.likeness["guided_backprop"] = Likeness(*(np.full(shape, 0.1) for shape in ((2, 8), (2, 8), 8, 8)))
    found.likeness["guided_backprop"].shuffled_magnitude[0] = 0.9
    with new_chapter(tmp_path / "attribution") as chapter:
        section = chapter.section("scorecard")
        add_scorecard(section, found, PROBES)
    page = " ".join(page_of(tmp_path / "attribution/scorecard", tmp_path).split())
    assert "Its maps change too little with the weights: rank correlation 0.50 (0.50 to 0.50, n = 8)" in page
    assert "in the mean over steps, 0.90 with the last layer shuffled and 0.10 with all" in page


def test_data_hold_every_point_with_its_interval(tmp_path):
    drawn(tmp_path)
    rows = list(csv.DictReader((tmp_path / "courses.csv").open(encoding="utf-8")))
    assert len(rows) == 5 * 3
    middle = rows[1]
    found = scorecard().orders["saliency"].deletion[:, 1].mean()
    assert float(middle["deletion"]) == pytest.approx(found, rel=1e-4)
    assert float(middle["deletion_low"]) < found < float(middle["deletion_high"])
    likeness = list(csv.DictReader((tmp_path / "likeness.csv").open(encoding="utf-8")))
    assert [row["down_to"] for row in likeness[:2]] == ["last", "first"]


def test_each_image_has_its_areas_and_without_boxes_nobody_points(tmp_path):
    content = drawn(tmp_path, label=False)
    assert [part.image_id for part in content.images] == list(range(8))
    assert content.images[3].blocks[0].rows[0][0] == "Saliency"
    assert not any(block.kind == "table" and block.id == "pointing" for block in content.blocks)
    assert "known" not in content.numbers and content.numbers["boxed"] == 0


def test_a_method_that_shows_nothing_of_the_image_is_told_apart(tmp_path):
    section = SectionDraft("scorecard", tmp_path)
    add_scorecard(section, scorecard(), PROBES, {"saliency"})
    verdicts = [block.numbers for block in section.content().blocks if block.kind == "text"]
    assert {one["name"]: one["fixed"] for one in verdicts} == {
        "Guided backprop": 0, "Occlusion": 0, "Saliency": 1,
    }  # fmt: skip


def test_left_out_it_says_why(tmp_path):
    section = SectionDraft("scorecard", tmp_path)
    add_scorecard(section, not_run("scorecard"), PROBES)
    assert section.content().status == "not run"


def test_of_a_network_that_is_sure_of_nothing_differences_are_not_rounded_away(tmp_path):
    found = scorecard()
    for order in found.orders.values():
        order.deletion[:] /= 1000
        order.insertion[:] /= 1000
    with new_chapter(tmp_path / "attribution") as chapter:
        add_scorecard(chapter.section("scorecard"), found, PROBES)
    page = " ".join(page_of(tmp_path / "attribution/scorecard", tmp_path).replace("\u00a0", " ").split())
    assert re.search(r"better by 0\.0\d\d percentage points in deletion \(0\.0\d\d to 0\.0\d\d\)", page)
    assert "by 0.0 percentage points" not in page
    assert "Of whole images it is 0.1 % in the mean; an even guess among" in page
    assert "sure of nothing here" not in page, "it is held against the labels"


@pytest.mark.parametrize(("outputs", "whole", "unsure"), [(4, 0.27, True), (4, 0.35, False), (2, 0.9, False)])
def test_of_a_network_that_is_no_surer_than_a_guess_of_what_it_predicts_it_is_said(
    tmp_path, outputs, whole, unsure
):
    found = scorecard()
    found = replace(found, about=replace(found.about, outputs=outputs))
    found.images.by_label[:] = False
    for order in found.orders.values():
        order.deletion[:, 0] = whole
    with new_chapter(tmp_path / "attribution") as chapter:
        section = chapter.section("scorecard")
        add_scorecard(section, found, PROBES)
    page = " ".join(page_of(tmp_path / "attribution/scorecard", tmp_path).replace("\u00a0", " ").split())
    assert ("The network is sure of nothing here." in page) == unsure
    finding = line(read_caption("scorecard").words, "finding", section.numbers)
    assert ("there is next to nothing for a map to explain" in finding) == unsure
    assert section.numbers["unsure"] == unsure


@pytest.mark.parametrize(
    ("part", "passes", "fails", "title"),
    [
        ("courses", 0, 3, "None of 3 methods beats an order of pixels by lot"),
        ("courses", 1, 2, "1 of 3 methods beats an order of pixels by lot"),
        ("courses", 0, 0, "With 4 images no order of pixels can be told from one by lot"),
        ("likeness", 3, 0, "The maps of 3 of 3 methods change with the weights"),
        ("likeness", 0, 1, "The maps of 1 of 3 methods change too little with the weights"),
        ("likeness", 0, 0, "Of no method is it known whether its maps change with the weights"),
    ],
)
def test_titles_count_methods(part, passes, fails, title):
    of = {"courses": "order", "likeness": "weights"}[part]
    numbers = {"methods": 3, "images": 4, "unsure": 0, f"{of}_passes": passes, f"{of}_fails": fails}
    assert title_of("scorecard", part, numbers) == title
