import csv
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pipeline.contents.blocks import Figure, Multiples, Notice
from pipeline.contents.writing import SectionDraft, write_section
from pipeline.figures.neighbours import SAME, SHOWN, TILE, Described, add_neighbours, said, shown_images
from pipeline.formats.neighbours import SPACES, About, Neighbours, OnMap, Space, Summary
from pipeline.formats.status import not_run
from tests.small.pages import page_of

IDS = np.array([2, 3, 8])
NEAR = np.arange(3 * 7).reshape(3, 7) + 20


def found(classes=3, summary=True, k=7, **about):
    lead = {"codes": 0.0, "pixels": 0.25, "colours": 0.25} | about.pop("lead", {})
    spaces = {
        name: Space(
            NEAR[:, :k] + 10 * place, np.ones((3, k), np.float32), np.array([0.5, 0.75])[: 2 * summary],
            0.75,
            Summary(0.625, 0.5, 0.75, lead[name], lead[name] - 0.125, lead[name] + 0.125)
            if summary else None,
        )
        for place, name in enumerate(SPACES)
    }  # fmt: skip
    sample = IDS[:2] if summary else IDS[:0]
    told = {
        "metric": "euclidean",
        "code_layer": "pool",
        "k": k,
        "images": 90,
        "equal": 0,
        "pixel_side": 16,
        "colour_bins": 9,
    }
    told |= {"split": "test", "sampled": True, "classes": classes, "lone": 0, "repeats": 100} | about
    chance = np.full(len(sample), 0.125)
    on_map = OnMap(IDS, np.array([[3], [2], [2]]), np.ones((3, 1), np.float32))
    return Neighbours(About(**told), IDS, np.array([8, 2]), sample, chance, spaces, on_map)


def described(label=lambda one: "abc"[one % 3], judged=True):
    ids = [*IDS.tolist(), *range(20, 70)]
    shades = {one: np.full((TILE, TILE, 4), (one, one, one, 255), np.uint8) for one in ids}
    return Described(
        shades, {one: f"x/{one}.png" for one in ids}, {one: label(one) for one in ids},
        dict.fromkeys(ids, "c"), dict.fromkeys(ids, judged),
    )  # fmt: skip


@pytest.fixture
def draw(tmp_path):
    def once(neighbours, known=None, **more):
        section = SectionDraft("neighbours", tmp_path / "neighbours")
        section.folder.mkdir(exist_ok=True)
        add_neighbours(section, neighbours, known or described(), **more)
        content = section.content()
        write_section(section.folder, content)
        return section.folder, content

    return once


def test_a_probe_is_right_only_where_that_is_known():
    known, unknown = (said(described(judged=judged), 2, 200) for judged in (True, False))
    assert known == ("label c", f"taken for c {SAME}") and unknown == ("label c", "taken for c")


def test_images_to_show_are_the_probes_and_their_first_neighbours():
    first = [NEAR[row, :SHOWN] + shift for row in (0, 2) for shift in (0, 10, 20)]
    assert shown_images(found()).tolist() == sorted({2, 8, *np.concatenate(first).tolist()})


def test_each_probe_stands_beside_its_neighbours(draw):
    folder, content = draw(found())
    figure, multiples = content.blocks
    assert isinstance(figure, Figure) and isinstance(multiples, Multiples)
    assert [one.id for one in multiples.figures] == ["probe-8", "probe-2"]
    first = multiples.figures[0]
    with Image.open(folder / first.image) as image:
        assert image.size == (first.width, first.height)
        pixels = np.asarray(image.convert("RGB"))
    large = {x for x in range(256) if np.count_nonzero((pixels == x).all(axis=2)) > TILE * TILE // 2}
    shown = {int(one) for shift in (0, 10, 20) for one in NEAR[2, :SHOWN] + shift}
    assert shown | {8} <= large
    table = list(csv.DictReader((folder / "nearest.csv").open()))
    assert len(table) == 2 * 3 * 7
    assert [int(row["neighbour"]) for row in table[:7]] == NEAR[2].tolist()


def test_the_page_says_what_was_measured(draw, tmp_path):
    folder, _ = draw(found())
    page = page_of(folder, tmp_path)
    for text in (
        "Codes gather classes more than pixels and colours",
        "over\n2\u00a0images of split “test”, drawn at random",
        '62.5\u00a0% (<span class="range">50.0–75.0\u00a0%</span>)',
        "25.0 percentage points\n(12.5 to 37.5)",
        "Label c, which the network gets right",
    ):
        assert text in page, text


@pytest.mark.parametrize(
    ("lead", "said"),
    [
        ({"colours": 0.1}, "Codes gather classes more than pixels do, not clearly"),
        ({"pixels": 0.1}, "Codes gather classes more than colours do, not clearly"),
        ({"pixels": 0.0, "colours": 0.1}, "Codes do not clearly gather classes more"),
        ({"pixels": 0.0, "colours": -0.5}, "Codes gather classes less than colours"),
        ({"pixels": -0.5, "colours": 0.0}, "Codes gather classes less than pixels"),
        ({"pixels": -0.5, "colours": -0.5}, "Codes gather classes less than pixels and"),
    ],
)
def test_a_claim_that_is_not_true_is_not_printed(draw, tmp_path, lead, said):
    folder, _ = draw(found(lead=lead))
    page = page_of(folder, tmp_path)
    assert said in page
    assert "Codes gather classes more than pixels and colours" not in page


@pytest.mark.parametrize(
    ("classes", "said"), [(0, "Without labels it cannot be said"), (1, "All images have one label")]
)
def test_without_two_labels_lists_stand_alone(draw, tmp_path, classes, said):
    label = (lambda _: None) if classes == 0 else (lambda _: "a")
    folder, content = draw(found(classes=classes, summary=False, split=""), described(label))
    assert [type(block) for block in content.blocks] == [Notice, Multiples]
    page = page_of(folder, tmp_path)
    assert said in page
    assert "Chance" not in page


def test_labels_of_one_image_each_say_nothing(draw, tmp_path):
    folder, _ = draw(found(classes=90, lone=90, summary=False))
    page = page_of(folder, tmp_path)
    assert "Each image has a label of its own" in page
    assert "✓ where" not in page


@pytest.mark.parametrize(("metric", "warned"), [("euclidean", True), ("cosine", False)])
def test_a_hub_is_named(draw, tmp_path, metric, warned):
    folder, _ = draw(found(metric=metric))
    page = page_of(folder, tmp_path)
    assert "stands in 75.0\u00a0% by codes" in page
    assert ("one image is near to most others" in page) == warned


def test_lists_of_equal_codes_are_counted_and_no_metric_is_offered_for_them(draw, tmp_path):
    one = found()
    equal = np.ones((3, 7), np.float32)
    equal[1], equal[2, 0] = 0, 0
    codes = replace(one.spaces["codes"], distance=equal)
    folder, content = draw(replace(one, spaces={**one.spaces, "codes": codes}))
    assert content.numbers["tied"] == 1
    page = page_of(folder, tmp_path)
    assert "In 1 of the lists by codes no code differs from the image’s own" in page
    assert "one image is near to most others" not in page


def test_an_image_s_page_has_the_figure_of_a_probe_and_links_of_another(draw):
    _, content = draw(found())
    parts = {part.image_id: part for part in content.images}
    assert sorted(parts) == IDS.tolist()
    assert [block.image for block in parts[8].blocks] == ["probe-8.webp"]
    assert not parts[3].blocks
    assert [fact.value for fact in parts[3].facts] == ["x/27.png", "x/37.png", "x/47.png"]


def test_fewer_neighbours_than_are_shown(draw, tmp_path):
    folder, content = draw(found(k=2))
    assert content.numbers["shown"] == 2
    assert "its 2\u00a0nearest images" in page_of(folder, tmp_path)


@pytest.mark.parametrize("on_map", [False, True])
def test_pages_of_images_name_the_nearest_where_the_map_does(draw, on_map):
    _, content = draw(found(), on_map=on_map)
    assert content.image_near == ("nearest" if on_map else None)
    assert (content.numbers.get("near_images"), content.numbers.get("near")) == (
        (3, 1) if on_map else (None, None)
    )


def test_section_without_data_says_why(draw, tmp_path):
    folder, content = draw(not_run("neighbours"))
    assert content.reason == "params.yaml says neighbours.run: false"
    assert content.reason in page_of(folder, tmp_path)
