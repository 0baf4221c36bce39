import numpy as np
import pytest

from pipeline.figures.fooling_numbers import FEWEST, fooling_numbers, shares_right, sureness
from tests.small.fooling import FOUND
from tests.small.pages import title_of


def confidences(change, images=8, spread=0.02):
    """Confidences at three distances, the last of which lie `change` above the first, give or take."""
    first = np.linspace(0.5, 0.6, images)
    last = first + change + spread * (-1.0) ** np.arange(images)
    return np.stack([first, np.full(images, 0.9), last], 1).astype(np.float32)


@pytest.mark.parametrize(("change", "surer"), [(0.2, 1), (-0.2, -1), (0.001, 0)])
def test_the_network_grows_surer_where_the_interval_of_the_change_says_so(change, surer):
    found = sureness(confidences(change))
    assert found["surer"] == surer
    assert (found["sure_before"], found["sure_last"]) == pytest.approx((0.55, 0.55 + change), abs=1e-6)


def test_of_few_images_nothing_is_clear():
    assert sureness(confidences(0.2, FEWEST - 1))["surer"] == 0


def test_shares_are_of_the_sample():
    right, shares = shares_right(FOUND, "pgd")
    assert right.tolist() == [4, 2, 1] and shares[:, 0].tolist() == [0.8, 0.4, 0.2]


@pytest.mark.parametrize(
    ("part", "changed", "title"),
    [
        ("confidence", {"surer": 1}, "grows surer: from 55.0 % in the mean to 75.0 % at 8 grey levels"),
        ("confidence", {"surer": -1}, "grows less sure: from 55.0 % in the mean to 75.0 % at 8 grey levels"),
        ("confidence", {"surer": 0}, "55.0 % sure in the mean, no clear change at 8 grey levels of PGD"),
        ("curves", {}, "Within 2 grey levels the accuracy falls to 40.0 %"),
    ],
)  # fmt: skip
def test_titles_say_what_attacks_do(part, changed, title):
    numbers = fooling_numbers(FOUND) | {"sure_before": 0.55, "sure_last": 0.75} | changed
    assert title_of("fooling", part, numbers).endswith(title)


@pytest.mark.parametrize(
    ("changed", "title"),
    [
        ({}, "Within 8 grey levels 20.0 % of predictions are still right"),
        ({"by_label": 0}, "Within 8 grey levels 20.0 % of predictions are still the same"),
        ({"before": 0.0}, "No prediction is right without a change"),
    ],
)
def test_where_attacks_do_not_halve_the_accuracy_it_is_said_what_is_left(changed, title):
    numbers = {name: value for name, value in fooling_numbers(FOUND).items() if name != "pgd_half"}
    assert title_of("fooling", "curves", numbers | changed) == title
