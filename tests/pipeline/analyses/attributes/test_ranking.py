"""Planted truths: a darkest third that is mislabelled, and attributes that mean nothing."""

import numpy as np
import pytest

from pipeline.analyses.attributes.binning import make_bins
from pipeline.analyses.attributes.columns import column_of
from pipeline.analyses.attributes.effects import Images
from pipeline.analyses.attributes.ranking import STRATUM, rank, strata

COUNT = 900
LEVEL = 0.05


def ranking(columns, right, repeats=999):
    label = np.arange(len(right)) % 10
    bins = [make_bins(one, label, 5, 20) for one in columns]
    images = Images(label, right, np.full(len(right), 0.5), 0)
    return rank(columns, bins, images, repeats=repeats, steps=3, level=LEVEL)


def photographs(seed):
    """Return attributes that go together as those of photographs do, and brightness first."""
    rng = np.random.default_rng(seed)
    brightness = rng.random(COUNT)
    given = {
        "brightness": brightness,
        "contrast": brightness + 0.3 * rng.normal(size=COUNT),
        "entropy": np.sqrt(brightness) + 0.2 * rng.normal(size=COUNT),
        "sharpness": rng.random(COUNT),
        "colourfulness": -brightness + rng.normal(size=COUNT),
        "size": np.repeat([1.0, 2.0, 3.0], COUNT // 3)[rng.permutation(COUNT)],
    }
    columns = [column_of(name, "pixels", values) for name, values in given.items()]
    night = ["night" if one < 0.3 else "day" for one in brightness + 0.2 * rng.normal(size=COUNT)]
    return [*columns[1:], column_of("light", "dataset", night), columns[0]]


@pytest.mark.parametrize("seed", range(5))
def test_of_a_mislabelled_darkest_third_brightness_is_all(seed):
    columns = photographs(seed)
    brightness = columns[-1].values
    wrong = brightness < np.quantile(brightness, 1 / 3)
    # A network that is right on 95 % of what bears its true label.
    right = ~wrong & (np.random.default_rng(seed).random(COUNT) < 0.95)
    found = ranking(columns, right)
    names = [columns[place].name for place in found.order]
    assert names[0] == "brightness" and found.chain == (0,)
    alone = dict(zip(names, found.corrected, strict=True))
    assert alone["contrast"] < LEVEL and alone["light"] < LEVEL
    assert found.given.shape == (1, len(columns))
    assert found.given[0, 0] < LEVEL and (found.given[0, 1:] >= LEVEL).all()
    assert (np.diff(found.strength[found.corrected < LEVEL]) <= 0).all()


def test_of_two_that_hurt_both_stay():
    columns = photographs(0)
    bad = (columns[-1].values < 0.3) | (columns[2].values < 0.3)
    found = ranking(columns, ~bad)
    assert {columns[found.order[place]].name for place in found.chain} == {"brightness", "sharpness"}
    others = [place for place in range(len(columns)) if place not in found.chain]
    assert (found.given[-1, others] >= LEVEL).all()
    assert (found.given[-1, list(found.chain)] < LEVEL).all()


def test_what_goes_with_classes_alone_does_not_go_with_mistakes_within_them():
    rng = np.random.default_rng(0)
    label = np.arange(COUNT) % 10
    right = rng.random(COUNT) < np.where(label < 5, 0.6, 0.95)
    columns = [
        column_of("like its class", "pixels", label + 0.7 * rng.normal(size=COUNT)),
        column_of("its own", "pixels", right + 0.7 * rng.normal(size=COUNT)),
        column_of("its class", "dataset", np.floor(label / 2)),
    ]
    found = ranking(columns, right)
    within = dict(zip(found.order.tolist(), found.within, strict=True))
    alone = dict(zip(found.order.tolist(), found.corrected, strict=True))
    assert alone[0] < LEVEL and alone[1] < LEVEL
    assert within[0] >= LEVEL and within[1] < LEVEL and np.isnan(within[2])


def test_of_shuffled_attributes_hardly_ever_anything_survives():
    survived = beside = 0
    for seed in range(100):
        rng = np.random.default_rng(1000 + seed)
        right = rng.random(COUNT) < 0.9
        columns = [one.rows(rng.permutation(COUNT)) for one in photographs(seed)]
        found = ranking(columns, right, repeats=499)
        survived += bool((found.corrected < LEVEL).any())
        beside += bool((found.given < LEVEL).any())
    assert survived <= 10
    assert beside <= survived


def test_strata_are_of_nearly_equal_images():
    rng = np.random.default_rng(0)
    first, second = (column_of(name, "pixels", rng.random(COUNT)) for name in "ab")
    found = strata([first])
    assert np.bincount(found).min() >= STRATUM
    spread = [np.ptp(first.values[found == one]) for one in range(found.max() + 1)]
    assert max(spread) < 0.1
    both = strata([first, second])
    assert STRATUM <= np.median(np.bincount(both)) < 2 * STRATUM
    for column in (first, second):
        assert max(np.ptp(column.values[both == one]) for one in range(both.max() + 1)) < 0.35


def test_words_and_what_is_missing_lie_apart_in_strata():
    words = column_of("light", "dataset", ["day", "", "night"] * 300)
    values = np.where(np.arange(COUNT) % 2, np.nan, np.arange(COUNT))
    assert len(np.unique(strata([words]))) == 3
    found = strata([words, column_of("hour", "dataset", values)])
    assert len(np.unique(found[1::2])) == 3 and not np.isin(found[1::2], found[::2]).any()


def test_where_classes_are_in_bins_nothing_is_tested_beside():
    label = np.arange(COUNT) % 10
    size = column_of("size of the class", "dataset", (label % 2).astype(float))
    right = np.random.default_rng(0).random(COUNT) < np.where(label % 2, 0.9, 0.5)
    noise = column_of("noise", "pixels", np.random.default_rng(1).random(COUNT))
    found = ranking([size, noise], right)
    assert found.order.tolist() == [0, 1] and found.corrected[0] < LEVEL
    assert found.chain == () and found.given.shape == (0, 2)
