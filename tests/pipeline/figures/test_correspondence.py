import pytest

from pipeline.contents.writing import SectionDraft, new_chapter
from pipeline.figures.correspondence import add_correspondence
from pipeline.formats.correspondence import open_correspondence
from pipeline.formats.status import not_run
from tests.small import correspondence as small
from tests.small.pages import page_of
from tests.small.probes import PICTURED

LAYERS = {"conv": small.layer(18), "deep": small.layer(9, over=-0.2, closer=0.01, field=(7, 7), tied=2)}


def draw(folder, layers, **changed):
    section = SectionDraft("correspondence", folder / "section")
    section.folder.mkdir()
    with open_correspondence(small.write(folder / "correspondence.h5", layers, **changed)) as found:
        add_correspondence(section, found, PICTURED)
    return section.content()


@pytest.fixture
def content(tmp_path):
    return draw(tmp_path, LAYERS)


def test_numbers_are_those_of_the_layers(content):
    numbers = content.numbers
    assert (numbers["images"], numbers["warps"], numbers["points"], numbers["all"]) == (3, 2, 4, 24)
    assert (numbers["best"], numbers["last"], numbers["tied"], numbers["matches"]) == ("conv", "deep", 2, 48)
    assert numbers["best_pck"] == pytest.approx(18 / 24) and numbers["last_pck"] == pytest.approx(9 / 24)
    assert (numbers["side"], numbers["patches_pck"]) == (4, pytest.approx(16 / 24))
    assert numbers["staying"] == 0
    assert (numbers["inner"], numbers["inner_points"], numbers["outer_points"]) == ("deep", 6, 18)
    assert (numbers["inner_pck"], numbers["outer_pck"]) == (1, pytest.approx(3 / 18, rel=1e-5))


def test_only_what_is_clear_of_zero_is_said_to_be_more_or_less(content):
    numbers = content.numbers
    for name in ("random", "staying", "patches"):
        assert (numbers[f"above_{name}"], numbers[f"below_{name}"]) == (1, 1)
    assert (numbers["finer"], numbers["finer_layer"]) == (1, "conv")


def test_where_nothing_is_finer_nothing_is_said_of_it(tmp_path):
    numbers = draw(tmp_path, {"conv": small.layer(12, over=0, closer=0)}).numbers
    assert numbers["finer"] == 0 and "finer_layer" not in numbers
    assert numbers["above_random"] == numbers["below_random"] == 0


def test_without_interior_points_and_with_layers_without_place(tmp_path):
    numbers = draw(
        tmp_path,
        {"conv": small.layer(12, interior=0)},
        without_place={"a": "one position", "b": "whole image"},
    ).numbers
    assert numbers["no_interior"] == 1 and "inner" not in numbers
    assert (numbers["without"], numbers["without_names"]) == (2, "a, b")


def test_every_probe_has_its_matches_on_its_page(content, tmp_path):
    assert [(part.image_id, part.path) for part in content.images] == [
        (7, "a/7.png"),
        (2, "b/2.png"),
        (5, "c/5.png"),
    ]
    assert all((tmp_path / "section" / name).is_file() for name in content.files)
    # The first warp of each: points 0 to 4, 8 to 12, 16 to 20.
    counts = [(part.blocks[0].numbers["most"], part.blocks[0].numbers["fewest"]) for part in content.images]
    assert counts == [(4, 4), (4, 1), (2, 0)]


def test_the_chapter_shows_the_probe_in_the_middle(content):
    multiples = content.blocks[0]
    assert multiples.numbers["path"] == "b/2.png"
    assert [(one.numbers["of"], one.numbers["right"]) for one in multiples.figures] == [
        ("conv", 4), ("deep", 1), ("patches of 4 pixels", 4),
    ]  # fmt: skip


def test_tables_and_facts(content):
    layers, plain = content.blocks[2:]
    assert layers.rows[0][:3] == ("conv", (2, 2), (5, 5))
    assert layers.rows[0][3] == pytest.approx(18 / 24) and layers.rows[0][13] == 6
    assert [row[0] for row in plain.rows] == [
        "patches of 2 pixels",
        "patches of 4 pixels",
        "the point’s old place",
    ]
    assert plain.rows[2][2] is None and plain.rows[2][3] == 1
    assert [fact.value for fact in content.layers[1].facts] == pytest.approx([9 / 24, 0.5, 3])


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"networks": 2}, ("the networks are drawn again, too", "a known map: turned, scaled, shifted. A")),
        (
            {"networks": 1, "rotation": 0.0, "scale": (1.0, 1.0)},
            ("how far another network with random weights would differ is not in them", "map: shifted. A"),
        ),
    ],
)
def test_the_page_says_how_images_were_warped_and_what_intervals_beside_random_weights_hold(
    tmp_path, how, said
):
    path = small.write(tmp_path / "correspondence.h5", LAYERS, **how)
    with new_chapter(tmp_path / "codes") as chapter, open_correspondence(path) as found:
        add_correspondence(chapter.section("correspondence"), found, PICTURED)
    page = " ".join(page_of(tmp_path / "codes/correspondence", tmp_path).split())
    assert all(one in page for one in said)
    assert "<p><strong>What it does not show.</strong> Both views" in page


def test_what_was_not_run_says_so(tmp_path):
    section = SectionDraft("correspondence", tmp_path)
    add_correspondence(section, not_run("correspondence"), PICTURED)
    assert section.content().status == "not run"
