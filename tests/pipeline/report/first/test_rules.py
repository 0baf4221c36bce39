"""Each rule holds on numbers that stand out, not on the nearest that do not, and never without its n."""

import pytest

from pipeline.contents.section import Section
from pipeline.report.captions import read_page_words
from pipeline.report.first.rules import MOST, RULES, THRESHOLDS, apply, standing
from pipeline.report.wording import line, prose

# Of each rule, by its place: numbers on which it holds, and changes of which each alone makes it silent.
CASES = {
    "chance": (
        {"evaluated": 200, "accuracy": 0.52, "accuracy_low": 0.45, "accuracy_high": 0.59,
         "largest_share": 0.5, "evaluated_classes": 2},
        [{"accuracy_low": 0.51}, {"evaluated_classes": 1}],
    ),
    "noise": ({"judged": 4, "noise_layers": 1, "noise": "conv1"}, [{"noise_layers": 0}]),
    "maps": (
        {"images": 24, "failing": 1, "failing_names": "deconvnet", "methods": 6, "again": 12},
        [{"failing": 0}, {"unknown": 1}, {"unsure": 1}],
    ),
    "confusion": (
        {"pair_of": 120, "pair_first": "cat", "pair_second": "dog", "pair_mistaken": 40,
         "pair_ends": (0.25, 0.42), "pair_rest": 0.24},
        [{"pair_rest": 0.25}, {"pair_mistaken": 4}],
    ),
    "people": (
        {"first_images": 512, "right": 0.95, "right_ends": (0.93, 0.97), "network": 0.9,
         "network_ends": (0.87, 0.92), "p": 0.001, "who": "ann"},
        [{"p": 0.05}],
    ),
    "other-errors": (
        {"first_images": 512, "kappas_network": 3, "kappas_people": 3, "kappa_network": 0.2,
         "kappa_people": 0.5, "kappa_network_high": 0.3, "kappa_people_low": 0.4},
        [{"kappa_people_low": 0.3}, {"kappas_people": 0}, {"kappas_network": 0}],
    ),
    "attribute": (
        {"counted": 837, "surviving": 1, "first": "contrast", "first_worst": "0 – 10", "first_accuracy": 0.5,
         "first_best": "90 – 99", "first_best_accuracy": 0.99, "first_corrected": 0.01},
        [{"surviving": 0}, {"first_corrected": 0.05}],
    ),
    "confidence": (
        {"evaluated": 2000, "mean_confidence": 0.95, "accuracy": 0.9, "accuracy_low": 0.89,
         "accuracy_high": 0.91},
        [{"mean_confidence": 0.919}, {"accuracy_high": 0.96}],
    ),
    "fooled": (
        {"images": 150, "pgd_half": 8, "pgd_at": 0.1, "before": 0.9, "by_label": 1},
        [{"pgd_half": 9}, {"images": 6}],
    ),
    "dead": ({"images": 60, "units_dead": 5, "units": 100}, [{"units_dead": 4}, {"units": 0}]),
    "saturated": (
        {"images": 60, "units_saturated": 1, "units": 100, "saturated_from": 0.5},
        [{"units_saturated": 0}],
    ),
    "twins": ({"images": 60, "twins": 5, "compared": 100, "twin": 0.99}, [{"twins": 4}, {"compared": 0}]),
    "told": (
        {"answers": 20, "share": 0.9, "ends": (0.7, 0.97)}, [{"answers": 19}]
    ),
    "rise": (
        {"held_out": 299, "rise_mean_from": "a", "rise_mean_to": "b", "rise_mean_shares": (0.4, 0.8),
         "rise_mean_ends": (0.46, 0.75)},
        [{"rise_mean_ends": (0.46, 0.46)}],
    ),
    "rise of maxima": (
        {"held_out": 299, "rise_maxima_from": "a", "rise_maxima_to": "b", "rise_maxima_shares": (0.4, 0.8),
         "rise_maxima_ends": (0.46, 0.75)},
        [{"rise_maxima_ends": (0.46, 0.46)}],
    ),
    "early": (
        {"images": 1000, "early_layer": "a", "early": "2", "late_layer": "b", "late": "12", "all_at_once": 0,
         "alike": 0.9, "numbered": 1, "checkpoints": 3, "at_end": 1, "before_end": "8", "known": 4},
        [{"all_at_once": 1}, {"checkpoints": 2}],
    ),
    "directions": (
        {"images": 4160, "random_purer": 0, "random_compared": 2},
        [{"random_purer": 1}, {"random_compared": 0}],
    ),
    "codes": (
        {"sample": 837, "codes": 0.93, "pixels": 0.11,
         "pixels_lead_interval": (0.8, 0.83), "k": 10},
        [{"pixels_lead_interval": (0.0, 0.1)}],
    ),
}  # fmt: skip
EACH = [(rule, *CASES[name]) for rule, name in zip(RULES, CASES, strict=True)]


def section(rule, numbers, **changes):
    return Section(name=rule.section, numbers=numbers, **changes)


@pytest.mark.parametrize(("rule", "numbers", "silent"), EACH, ids=list(CASES))
def test_rule_holds_where_its_condition_does_and_only_there(rule, numbers, silent):
    assert apply(rule, section(rule, numbers))
    for change in silent:
        assert apply(rule, section(rule, numbers | change)) is None, change


@pytest.mark.parametrize(("rule", "numbers", "silent"), EACH, ids=list(CASES))
def test_none_says_anything_without_its_n_or_another_number(rule, numbers, silent):
    for name in numbers:
        assert apply(rule, section(rule, {key: numbers[key] for key in numbers if key != name})) is None, name
    assert apply(rule, section(rule, numbers | {rule.n: 0})) is None
    assert apply(rule, section(rule, numbers, status="not run", reason="it was not")) is None


@pytest.mark.parametrize(("rule", "numbers", "silent"), EACH, ids=list(CASES))
def test_words_say_what_was_found_and_of_how_many(rule, numbers, silent):
    words, found = read_page_words("first").part(rule.name), apply(rule, section(rule, numbers))
    said = line(words, "title", found.numbers)
    assert f"{numbers[rule.n]:,}" in said
    assert not [mark for mark in "{}%" if mark in said.replace("\u00a0%", "")]
    assert len(prose(words, THRESHOLDS)) > 30


def test_a_finding_leads_to_its_figure_only_where_that_was_drawn():
    rule, numbers, _ = next(one for one in EACH if one[0].name == "dead")
    assert rule.block == "dead"
    assert apply(rule, section(rule, numbers)).block == ""


def test_few_are_shown_in_the_order_of_the_rules():
    merged: dict[str, dict] = {}
    # Of rules that read one number, the first one's value stands.
    for rule, numbers, _ in reversed(EACH):
        merged.setdefault(rule.section, {}).update(numbers)
    found = standing({name: Section(name=name, numbers=numbers) for name, numbers in merged.items()})
    order = list(dict.fromkeys(rule.name for rule in RULES))
    assert [one.rule for one in found] == order[:MOST]


def test_one_kind_of_probes_speaks_for_both():
    sections = {}
    for rule, numbers, _ in EACH:
        if rule.name == "rise":
            sections[rule.section] = section(
                rule, numbers | dict(sections.get(rule.section, section(rule, {})).numbers)
            )
    (found,) = standing(sections)
    assert found.keys["rise_from"] == "rise_mean_from"


def test_nothing_stands_out_of_nothing():
    assert standing({}) == []


def test_saturated_units_are_not_said_to_be_at_the_upper_end_alone():
    rule, numbers, _ = next(one for one in EACH if one[0].name == "saturated")
    said = line(
        read_page_words("first").part("saturated"), "title", apply(rule, section(rule, numbers)).numbers
    )
    assert "at an end of the activation function" in said
