"""In every caption, what is counted agrees with its number, and so does what it does: 1 image is, 2 are."""

import re

import pytest
from jinja2 import Environment, meta, nodes

from pipeline.report.captions import FOLDER
from pipeline.report.numbers import FILTERS

MANY = 7
VERBS = "are|have|were|do|go|reach|make|differ|excite|fail"
# What a number that reads wrong follows where it cannot be one: the whole of what is counted, a longest side.
BEFORE = "of ", "of the ", "in ", "to ", "and ", "along ", "× "
# Numbers that are never one, by caption.
NEVER_ONE = {
    "accuracy": {"classes_shown"}, "concepts": {"random_images", "random_sets"},
    "embedding": {"canvas", "looks"}, "first": {"least_mistaken"}, "separability": {"classes"},
}  # fmt: skip
ENVIRONMENT = Environment(trim_blocks=True, lstrip_blocks=True)
ENVIRONMENT.filters |= FILTERS


class Number(int):
    """A number that stands for a pair, too, where a caption asks for one."""

    def __getitem__(self, _place):
        return int(self)

    def __iter__(self):
        return iter((int(self), int(self)))

    def __contains__(self, _text):
        return False


def counted(text):
    """Return the names of what a text counts or compares, and of all else in it."""
    tree = ENVIRONMENT.parse(text)
    filtered = [one.node for one in tree.find_all(nodes.Filter) if one.name in ("count", "plural")]
    compared = [
        side for one in tree.find_all(nodes.Compare) for side in (one.expr, *(o.expr for o in one.ops))
    ]
    names = {one.name for one in (*filtered, *compared) if isinstance(one, nodes.Name)}
    return names, meta.find_undeclared_variables(tree)


def counted_nouns():
    """Return what captions count by `plural`, one and many, in all of them."""
    found = set()
    for path in FOLDER.rglob("*.md"):
        for one in ENVIRONMENT.parse(path.read_text()).find_all(nodes.Filter):
            words = [each.value for each in one.args if isinstance(each, nodes.Const)]
            if one.name == "plural" and words:
                found.add((words[0], words[1] if len(words) > 1 else f"{words[0]}s"))
    return found


def disagreements(text, never_one=()):
    """Yield what reads wrong where one thing alone that a text counts is one."""
    names, every = counted(text)
    one, many = ("|".join(map(re.escape, words)) for words in zip(*sorted(counted_nouns()), strict=True))
    before = "".join(f"(?<!{words})" for words in BEFORE)
    wrong = rf"{before}\b1 (?:{many}|(?:(?:{one}) |of {MANY} (?:(?:{many}) )?)?(?:{VERBS}))\b"
    for name in names.difference(never_one):
        numbers = {other: Number(MANY) for other in every} | {name: Number(1)}
        words = " ".join(ENVIRONMENT.from_string(text).render(numbers).replace("\u00a0", " ").split())
        yield from (f"{name}: {found[0]}" for found in re.finditer(f".{{0,30}}{wrong}", words))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('{{ n | plural("image") }} {{ "is" if n == 1 else "are" }} right.', 0),
        ('{{ n | plural("image") }} are right.', 1),
        ("{{ n | count }} images are right.", 1),
        ("{% if n > 0 %}The first {{ n }} layers.{% endif %}", 1),
        ('{{ n | count }} of {{ of | plural("layer") }} have none.', 1),
        ("From noise {{ n | count }} of {{ of | count }} reach it.", 1),
    ],
)
def test_what_disagrees_is_found(text, count):
    assert len(list(disagreements(text))) == count


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.md")), ids=lambda path: path.stem)
def test_what_is_counted_agrees_with_its_number(path):
    never = NEVER_ONE.get(path.stem, ())
    texts = re.split(r"^## .*$", path.read_text(), flags=re.MULTILINE)
    assert [found for text in texts for found in disagreements(text, never)] == []
