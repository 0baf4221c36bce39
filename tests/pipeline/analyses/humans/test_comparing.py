"""Two annotators and a table over six images, counted by hand."""

from collections import Counter

import numpy as np
import pytest

from pipeline.analyses.humans.comparing import Places, Scored, compare, consistencies, raters_of
from pipeline.analyses.humans.reading import Answer, Given
from pipeline.formats.humans import Network

CLASSES = ("a", "b", "c")
PLACES = Places({str(image): image for image in range(6)}, {name: at for at, name in enumerate(CLASSES)})
# Five images have a label that is an output; the network is wrong on 1 (says c) and on 4 (says c).
NETWORK = Network(
    np.arange(5), np.array([0, 0, 1, 1, 0], np.int32), np.array([0, 2, 1, 1, 2], np.int32),
    np.array([1, 0, 1, 1, 0], bool), np.array([1, 1, 1, 1, 0], bool),
)  # fmt: skip


def answer(image, who, *guesses, condition=""):
    return Answer(str(image), who, condition, guesses, None)


GIVEN = Given(
    [
        answer(0, "bob", "a"), answer(1, "bob", "c"), answer(2, "bob", "a"), answer(3, "bob", "b"),
        answer(5, "bob", "b"), answer(0, "eve", "a"), answer(1, "eve", "a"), answer(4, "eve", ""),
        answer(0, "zoe", "a"),
    ],
    {"many": {"0": Counter(a=3, b=1), "4": Counter(a=2, b=2), "1": Counter({"a": 5})}},
)  # fmt: skip


def test_raters_are_those_with_most_answers_and_tables_say_what_most_say():
    raters, conditions, answers = raters_of(GIVEN, PLACES, 2)
    assert raters.name == ("bob", "eve", "many") and raters.left_out == 1
    assert raters.tabled.tolist() == [False, False, True] and raters.ties.tolist() == [0, 0, 1]
    assert conditions == ("",)
    assert answers.image_id[answers.rater == 2].tolist() == [0, 1, 4]
    assert answers.guess[answers.rater == 2, 0].tolist() == [0, 0, -1]


def test_cells_and_tests_by_hand():
    raters, conditions, answers = raters_of(GIVEN, PLACES, 2)
    found = compare(raters, len(conditions), Scored(answers, NETWORK), 3)
    # Bob: image 0 both, 1 neither and both say c, 2 the network alone, 3 both; image 5 has no label.
    assert found.cells[:, 0].tolist() == [[2, 0, 1, 1], [1, 1, 0, 1], [1, 1, 0, 1]]
    assert found.same_error.tolist() == [1, 0, 0]
    assert found.mcnemar.tolist() == [1, 1, 1]
    assert found.top5.tolist() == [-1, -1, -1]


def test_pairs_are_the_network_s_and_those_of_annotators():
    raters, conditions, answers = raters_of(GIVEN, PLACES, 2)
    found = consistencies(raters, len(conditions), Scored(answers, NETWORK), repeats=100, seed=0)
    assert list(zip(found.first.tolist(), found.second.tolist(), strict=True)) == [
        (-1, 0), (-1, 1), (-1, 2), (0, 1),
    ]  # fmt: skip
    # Bob and Eve share the images 0, both right, and 1, Eve alone: c_obs 1/2 = c_exp.
    assert found.images.tolist() == [4, 3, 3, 2]
    assert found.kappa[3] == pytest.approx(0.0, abs=1e-12)
    # The network and Bob: (2, 1, 0, 1), p1 = 3/4, p2 = 2/4, c_obs 3/4, c_exp 1/2.
    assert found.kappa[0] == pytest.approx(0.5, abs=1e-12)


def test_conditions_are_kept_apart():
    given = Given([
        answer(0, "bob", "a", condition="x"), answer(1, "bob", "c", condition="y"),
        answer(0, "eve", "a", condition="y"), answer(1, "eve", "a", condition="y"),
    ])  # fmt: skip
    raters, conditions, answers = raters_of(given, PLACES, 9)
    found = consistencies(raters, len(conditions), Scored(answers, NETWORK), repeats=100, seed=0)
    of_people = found.first == 0
    assert found.images[of_people].tolist() == [1] and found.conditions[0] == 2
    assert found.kappa[of_people] == pytest.approx([0.0])


def test_five_guesses_count_where_there_are_more_classes():
    given = Given([answer(1, "bob", "b", "a"), answer(4, "bob", "b")])
    raters, conditions, answers = raters_of(given, PLACES, 9)
    found = compare(raters, len(conditions), Scored(answers, NETWORK), 9)
    assert (found.top5.tolist(), found.network_top5.tolist()) == ([1], [1])
