import csv
import re

import numpy as np
import pytest

from pipeline.contents.writing import new_chapter
from pipeline.figures.separability import add_separability
from pipeline.formats.separability import LayerProbe, ProbeSample, Separability
from pipeline.formats.status import not_run
from tests.small.pages import page_of, title_of

LAYERS = ("relu", "pool", "head")
COUNT = 40
LABEL = np.arange(COUNT) % 4


def probe(right, converged=True, strength=0.1):
    """A probe that is right on so many images."""
    predicted = np.where(np.arange(COUNT) < right, LABEL, (LABEL + 1) % 4)
    return LayerProbe(np.zeros((4, 6)), np.zeros(4), strength, converged, predicted)


@pytest.fixture
def draw(tmp_path):
    def made(mean=(10, 30, 36), maxima=(8, 12, 36), initial=(), network=True, layers=LAYERS):
        right = (np.arange(COUNT) < 38).astype(np.int8) if network else np.full(COUNT, -1, np.int8)
        sample = ProbeSample(np.arange(90), np.arange(COUNT), LABEL, right, np.arange(4), False)
        kinds = tuple(kind for kind, given in (("mean", mean), ("maxima", maxima)) if given)
        counts = {"mean": mean, "maxima": maxima}
        probes = {
            (layer, kind): probe(counts[kind][place]) for kind in kinds for place, layer in enumerate(layers)
        }
        start = {key: probe(initial[layers.index(key[0])], False, 1.0) for key in probes} if initial else {}
        with new_chapter(tmp_path / "embedding") as chapter:
            section = chapter.section("separability")
            add_separability(section, Separability(layers, kinds, sample, probes, start))
        folder = tmp_path / "embedding/separability"
        return section.content(), folder, " ".join(re.sub("<[^>]*>", "", page_of(folder, tmp_path)).split())

    return made


def plain(page):
    return page.replace("\u00a0", " ")


def test_the_best_layer_and_the_largest_rise_are_said(draw):
    content, folder, page = draw()
    assert "the best is head with 90.0 %" in plain(page)
    assert "the largest rise, by 50.0 percentage points, from relu to pool" in plain(page)
    assert "The best layer and the largest rise were chosen on these same images, which flatters both" in page
    assert "The network itself is right on 95.0 % of the same images" in plain(page)
    assert "initialisation" not in page and "still improving" not in page
    assert "the strength of the regularisation is C = 0.1 for every probe" in plain(page)
    with (folder / "probes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["right"] for row in rows] == ["10", "30", "36", "8", "12", "36"]
    low, high = (float(rows[0][end]) for end in ("low", "high"))
    assert low < 0.25 < high
    assert content.blocks[0].evidence.n == COUNT
    assert [fact.value for fact in content.layers[1].facts if fact.form == "share"] == [0.75, 0.3]


def test_the_initialisation_stands_beside_it(draw):
    content, _, page = draw(initial=(9, 11, 10))
    assert "At the initialisation the best is 27.5 % by maxima (pool) and 27.5 % by means (pool)" in plain(
        page
    )
    assert "6 of 12 probes were still improving" in plain(page)
    assert "a fifth of them chooses the strength of the regularisation (C between 0.1 and 1 was" in plain(
        page
    )
    assert content.numbers["initial"] == 1


def test_a_layer_after_which_less_is_separable_is_named_as_it_is(draw):
    _, _, page = draw(mean=(30, 20, 10))
    assert "the best is relu with 75.0 %" in plain(page)
    assert "largest rise" not in page
    assert "The best layer was chosen on these same images, which flatters it a little." in page


def test_without_means_and_without_outputs_nothing_is_said_of_them(draw):
    _, _, page = draw(mean=(), network=False)
    assert "By means" not in page and "The network itself" not in page
    assert "By maxima, the first layer, relu, gives 20.0 %" in plain(page)


def test_probes_at_chance_are_not_said_to_tell_classes_apart(draw, tmp_path):
    # Of 40 images 10 are of each class; 14 right ones are not clearly more.
    content, _, page = draw(mean=(10, 12, 14), maxima=(8, 12, 10))
    assert content.numbers["beyond"] == 0
    assert "nothing here shows that any layer tells these classes apart" in page
    first = re.sub("<[^>]*>", "", plain((tmp_path / "report/index.html").read_text(encoding="utf-8")))
    assert "would be (25.0 %); the best is right on 35.0 % of held-out images at head" in " ".join(
        first.split()
    )
    content, _, page = draw(mean=(10, 12, 36))
    assert content.numbers["beyond"] == 2 and "nothing here shows" not in page
    # Of six probes the best is right on 17 by chance more often than once in twenty times.
    assert draw(mean=(10, 12, 17), maxima=(8, 12, 10))[0].numbers["beyond"] == 0


def test_the_section_without_data_says_why(tmp_path):
    with new_chapter(tmp_path / "x") as chapter:
        section = chapter.section("separability")
        add_separability(section, not_run("separability"))
    assert section.content().reason == "params.yaml says separability.run: false"


@pytest.mark.parametrize(
    ("given", "title"),
    [
        ({}, "Classes become separable most between relu and pool: from 25.0 % to 75.0 %"),
        (
            {"mean": (), "maxima": (8, 30, 36)},
            "Classes become separable most between relu and pool: from 20.0 % to 75.0 %",
        ),
        # Neither step is clear, but both together are.
        (
            {"mean": (16, 24, 32)},
            "Probes are right on 40.0 % in relu and 80.0 % in head, the network on 95.0 %",
        ),
        (
            {"mean": (32, 24, 16), "network": False},
            "Probes are right on 80.0 % in relu and 40.0 % in head",
        ),
        ({"mean": (30, 33, 32)}, "No clear difference between relu, 75.0 % right, and head, 80.0 %"),
        (
            {"mean": (2, 14, 12), "maxima": (8, 12, 10)},
            "No probe is clearly better than always saying the most frequent class",
        ),
        (
            {"mean": (30,), "maxima": (8,), "layers": ("relu",)},
            "A linear probe of relu is right on 75.0 % (59.8–85.8 %)",
        ),
    ],
)
def test_the_title_claims_what_intervals_bear(draw, given, title):
    content, _, _ = draw(**given)
    assert title_of("separability", "depth", {**content.numbers, **content.blocks[0].numbers}) == title
