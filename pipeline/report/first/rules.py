"""What stands out: the rules, their thresholds and their order, all of them here.

A rule reads numbers of one section, which a render stage found in the artifacts, and says whether they stand
out; its words are the part of its name in ``captions/pages/first.md``. A rule whose numbers are not all there
says nothing, so that a section that was not run, or data without labels, need no rule of their own; and none
says anything without its `n`, the number of things that it is of.

The order is that of `RULES`, and at most `MOST` are shown: first what makes other numbers doubtful, then what
the network gets wrong and when, then what in it is idle, then how its layers came to be, what speaks for it
last. So the same network is told of in the same way whatever the size of its numbers, which cannot be
compared between rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.contents.blocks import block_ids
from pipeline.contents.section import Section
from pipeline.contents.values import Number

MOST = 5
# Of a test that is corrected for the number of tests already.
CHANCE = 0.05
# Images that are mistaken: fewer are an anecdote, however far their share lies above others.
LEAST_MISTAKEN = 5
# Of people who were asked which image excites a unit more: fewer tell nothing of units.
LEAST_ANSWERS = 20
# A gap between confidence and accuracy that a reader would act on, as a share.
GAP = 0.02
# Of 255 grey levels; 8 is the largest change that work on attacks takes for invisible.
INVISIBLE = 8
DEAD = 0.05
SATURATED = 0.01
TWINS = 0.05
# A course of training with fewer checkpoints has no early and late.
CHECKPOINTS = 3

# As the words of the rules name them.
THRESHOLDS: Mapping[str, Number] = {
    "most": MOST, "chance_below": CHANCE, "least_mistaken": LEAST_MISTAKEN,
    "least_answers": LEAST_ANSWERS, "gap": GAP, "invisible": INVISIBLE,
    "dead_from": DEAD, "saturated_from": SATURATED, "twins_from": TWINS, "checkpoints_from": CHECKPOINTS,
}  # fmt: skip

Numbers = Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """When something stands out.

    Attributes
    ----------
    name
        Names its words; of several rules of one name the first that holds speaks.
    section
        Whose numbers it reads.
    n
        The number that says how many things it is of.
    reads
        The numbers that its condition and its words need.
    optional
        Numbers that the condition knows how to do without.
    holds
        The condition, given all of these.
    block
        Where in the section the reader finds more, where this run has it.
    aliases
        What the condition and the words call a number, to the number's own name.
    """

    name: str
    section: str
    n: str
    reads: Sequence[str]
    holds: Callable[[Numbers], bool]
    block: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)
    optional: Sequence[str] = ()


@dataclass(frozen=True)
class Finding:
    """What a rule found.

    Attributes
    ----------
    rule, section
        Names.
    block
        An anchor in the section; empty: the section itself.
    numbers
        What its words may name, `n` among it.
    keys
        Each of these names to the number's own name in the section.
    """

    rule: str
    section: str
    block: str
    numbers: Mapping[str, Number]
    keys: Mapping[str, str]


def _rise(kind: str) -> Rule:
    """Return the rule on linear probes of one kind of input: the largest step, clear of both intervals."""
    names = ("rise_from", "rise_to", "rise_shares", "rise_ends")
    return Rule(
        "rise", "separability", n="held_out", block="depth", reads=names,
        aliases={name: name.replace("rise", f"rise_{kind}") for name in names},
        holds=lambda m: m["rise_ends"][0] < m["rise_ends"][1],
    )  # fmt: skip


RULES = (
    Rule(
        "chance", "summary", n="evaluated", block="accuracy",
        reads=("accuracy", "accuracy_low", "accuracy_high", "largest_share", "evaluated_classes"),
        holds=lambda m: m["evaluated_classes"] > 1 and m["accuracy_low"] <= m["largest_share"],
    ),
    Rule(
        "noise", "filters", n="judged", reads=("noise_layers", "noise"),
        holds=lambda m: m["noise_layers"] > 0,
    ),
    Rule(
        "maps", "scorecard", n="images", reads=("failing", "failing_names", "methods", "again"),
        # Of a network that does not know the labels, or is sure of nothing, no map says why it names them.
        optional=("unknown", "unsure"),
        holds=lambda m: m["failing"] > 0 and not m.get("unknown") and not m.get("unsure"),
    ),
    Rule(
        "confusion", "summary", n="pair_of", block="confusion",
        reads=("pair_first", "pair_second", "pair_mistaken", "pair_ends", "pair_rest"),
        holds=lambda m: m["pair_mistaken"] >= LEAST_MISTAKEN and m["pair_ends"][0] > m["pair_rest"],
    ),
    Rule(
        "people", "humans", n="first_images", block="accuracy",
        reads=("right", "right_ends", "network", "network_ends", "p", "who"),
        holds=lambda m: m["p"] < CHANCE,
    ),
    Rule(
        "other-errors", "humans", n="first_images", block="consistency",
        reads=("kappas_network", "kappas_people", "kappa_network", "kappa_people", "kappa_network_high",
               "kappa_people_low"),
        holds=lambda m: (
            m["kappas_network"] > 0 < m["kappas_people"] and m["kappa_network_high"] < m["kappa_people_low"]
        ),
    ),
    Rule(
        "attribute", "attributes", n="counted", block="overview",
        reads=(
            "surviving", "first", "first_worst", "first_accuracy", "first_best", "first_best_accuracy",
            "first_corrected",
        ),
        holds=lambda m: m["surviving"] > 0 and m["first_corrected"] < CHANCE,
    ),
    Rule(
        "confidence", "summary", n="evaluated", block="calibration",
        reads=("mean_confidence", "accuracy", "accuracy_low", "accuracy_high"),
        holds=lambda m: (
            abs(m["mean_confidence"] - m["accuracy"]) >= GAP
            and not m["accuracy_low"] <= m["mean_confidence"] <= m["accuracy_high"]
        ),
    ),
    Rule(
        "fooled", "fooling", n="images", block="curves",
        reads=("pgd_half", "pgd_at", "before", "by_label"),
        # Half of a small accuracy is a few images.
        holds=lambda m: (
            m["pgd_half"] <= INVISIBLE and (m["before"] - m["pgd_at"]) * m["n"] >= LEAST_MISTAKEN
        ),
    ),
    Rule(
        "dead", "units", n="images", block="dead", reads=("units_dead", "units"),
        holds=lambda m: m["units_dead"] >= DEAD * m["units"] > 0,
    ),
    Rule(
        "saturated", "units", n="images", block="saturated",
        reads=("units_saturated", "units", "saturated_from"),
        holds=lambda m: m["units_saturated"] >= SATURATED * m["units"] > 0,
    ),
    Rule(
        "twins", "similar_units", n="images", block="layers", reads=("twins", "compared", "twin"),
        holds=lambda m: m["twins"] >= TWINS * m["compared"] > 0,
    ),
    Rule(
        "told", "human_scores", n="answers", block="scores", reads=("share", "ends"),
        holds=lambda m: m["answers"] >= LEAST_ANSWERS,
    ),
    _rise("mean"),
    _rise("maxima"),
    Rule(
        "early", "similarity", n="images", block="training",
        reads=(
            "early_layer", "early", "late_layer", "late", "all_at_once", "alike", "numbered", "checkpoints",
            "at_end", "before_end", "known",
        ),
        holds=lambda m: not m["all_at_once"] and m["checkpoints"] >= CHECKPOINTS,
    ),
    Rule(
        "directions", "directions", n="images",
        reads=("random_purer", "random_compared"),
        holds=lambda m: m["random_compared"] > 0 and m["random_purer"] == 0,
    ),
    Rule(
        "codes", "neighbours", n="sample", block="agreement",
        reads=("codes", "pixels", "pixels_lead_interval", "k"),
        holds=lambda m: m["pixels_lead_interval"][0] > 0,
    ),
)  # fmt: skip


def standing(sections: Mapping[str, Section]) -> list[Finding]:
    """Return what stands out, in the order of the rules, `MOST` at most.

    Parameters
    ----------
    sections
        By their names; one that was not done says nothing.
    """
    found: dict[str, Finding] = {}
    for rule in RULES:
        section = sections.get(rule.section)
        finding = apply(rule, section) if section else None
        if finding:
            found.setdefault(rule.name, finding)
    return list(found.values())[:MOST]


def apply(rule: Rule, section: Section) -> Finding | None:
    """Return what a rule finds in its section; None where it does not hold, or lacks a number or its n."""
    keys = {name: rule.aliases.get(name, name) for name in (*rule.reads, rule.n)} | {"n": rule.n}
    numbers = {name: section.numbers[key] for name, key in keys.items() if key in section.numbers}
    if section.status != "done" or len(numbers) < len(keys) or not numbers["n"]:
        return None
    extra = {name: name for name in rule.optional if name in section.numbers}
    keys, numbers = keys | extra, numbers | {name: section.numbers[name] for name in extra}
    if not rule.holds(numbers):
        return None
    block = rule.block if rule.block in block_ids(section.blocks) else ""
    return Finding(rule.name, section.name, block, numbers, keys)
