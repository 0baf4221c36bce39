import re
import shutil

import pytest

from pipeline.errors import UserError
from pipeline.report.captions import FOLDER, Words
from pipeline.report.wording import check_captions, line, prose, sourced_line, unbroken
from tests.pipeline.report import fakes


def _prose(text, **numbers):
    return str(prose(Words("one.md", {}, text), numbers))


def test_numbers_are_filled_in():
    text = "*{{ n }}* of {{ n | count }}, {{ metrics['s.accuracy'] | share }}, {{ kl | decimals(2) }}"
    html = _prose(text, n=1797, kl=1.23456, metrics={"s.accuracy": 0.973})
    assert html == "<p><em>1,797</em> of 1,797, 97.3\u00a0%, 1.23</p>"


def test_lines_are_plain_text():
    words = Words("one.md", {"title": "{{ layer }}: {{ n | plural('unit') }}"}, "")
    assert line(words, "title", {"layer": "<b>_x_", "n": 1000}) == "<b>_x_: 1,000\u00a0units"
    assert line(words, "alt", {}) == ""


@pytest.mark.parametrize(
    "text",
    ["{{ knn }}", "{{ knn | share }}", "{{ (kl, knn) | interval }}", "{{ metrics['knn'] }}", "{{ m.knn }}"],
)
def test_missing_number_is_an_error_that_names_it(text):
    with pytest.raises(UserError, match=r"one\.md: no number 'knn'"):
        _prose(text, kl=1.0, metrics={}, m={})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ name | share }}", "'x' is no number"),
        ("{{ kl | count }}", "not whole"),
        ("{{ kl | percent }}", "percent"),
        ("a\n{% if kl %}", "line 2"),
        ("{{ kl", "line 1"),
    ],
)
def test_a_caption_that_cannot_be_filled_is_an_error(text, message):
    with pytest.raises(UserError, match=message) as caught:
        _prose(text, name="x", kl=1.5)
    assert str(caught.value).startswith("one.md: ") and "\n" not in str(caught.value)


def test_captions_of_the_project_are_templates():
    check_captions()


@pytest.mark.parametrize(
    ("name", "before", "after", "message"),
    [
        ("units.md", " }}", " ) }}", "unexpected ')'"),
        ("filters.md", "{% endif %}", "{% endfi %}", "unknown tag"),
        ("comparison/accuracy.md", "| count", "| counts", "no filter 'counts' (line"),
        ("pages/first.md", "{{", "{% if %} {{", "Expected an expression"),
        ("neighbours.md", "chapter: codes", "chapter: code", "no chapter 'code'; did you mean 'codes'?"),
        ("chapters.yaml", ":", "", "cannot be read"),
    ],
)
def test_a_wrong_caption_is_found_before_any_page_is_touched(tmp_path, name, before, after, message):
    shutil.copytree(FOLDER, tmp_path / "captions")
    wrong = tmp_path / "captions" / name
    text = wrong.read_text(encoding="utf-8")
    assert before in text
    wrong.write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        check_captions(tmp_path / "captions")
    assert str(caught.value).startswith(f"{wrong}") and "\n" not in str(caught.value)
    assert message in str(caught.value)


def test_what_is_said_depends_on_numbers():
    text = "{% if knc is defined %}\nkept {{ knc }}\n{% else %}\nno labels\n{% endif %}\n\n"
    text += "{% if kl is defined %}\nhas {{ kl }}\n{% endif %}"
    assert _prose(text, kl=2) == "<p>no labels</p>\n<p>has 2</p>"


def test_an_if_without_else_says_nothing():
    assert _prose("a{{ ' at most' if bound }} {{ kl }}", bound=False, kl=2) == "<p>a 2</p>"


@pytest.mark.parametrize("name", [*fakes.HOSTILE, "`a` _b_ **c** | d\n\n# e", "\ue0003c\ue001", "&lt;"])
@pytest.mark.parametrize("around", ["from {}.", "`{}`", "- {}", "{}", "a | b\n--|--\n{} | 1"])
def test_names_are_neither_html_nor_markdown_nor_templates(name, around):
    made = _prose(around.format("{{ name }}"), name=name, accuracy=1)
    assert made == _prose(around.format("{{ name }}"), name="plain").replace("plain", fakes.escaped(name))


def _sourced(text, **numbers):
    sources = {name: f"a.json#{name}" for name in numbers}
    return str(sourced_line(Words("one.md", {"title": text}, ""), "title", numbers, sources))


def test_each_number_says_where_it_was_read():
    said = _sourced("{{ n | plural('unit') }} of {{ (low, high) | interval }}", n=1, low=0.5, high=0.75)
    assert said == (
        '<span data-source="a.json#n">1\u00a0unit</span> of '
        '<span data-source="a.json#high a.json#low"><span class="range">50.0–75.0\u00a0%</span></span>'
    )


def test_no_line_ends_within_a_range():
    whole = '<span class="range">11.0–13.9\u00a0%</span>'
    assert _prose("from {{ ends | interval }}", ends=(0.11, 0.139)) == f"<p>from {whole}</p>"
    assert str(unbroken("a<b–c 11.0–13.9\u00a0% 5")) == f"a&lt;b–c {whole} 5"


def test_no_line_ends_between_a_number_and_per_cent():
    assert _prose("in 5 % of {{ name }}", name="5 % milk") == "<p>in 5\u00a0% of 5 % milk</p>"


def test_words_without_a_digit_have_no_source():
    assert _sourced("{{ 'is' if n == 1 else 'are' }} {{ name }}{{- ' x' if n }}", n=2, name="<a>|2b") == (
        'are <span data-source="a.json#name">&lt;a&gt;|2b</span> x'
    )


def test_a_line_with_sources_says_the_same_as_one_without():
    text = "{% if n > 1 %}{{ '%s of' % (n | count) }}{%- endif %} & {{ m['a.b'] }} {{- ' at most' if low }}"
    numbers = {"n": 1234, "m": {"a.b": 0.5}, "low": 0}
    plain = line(Words("one.md", {"title": text}, ""), "title", numbers)
    assert re.sub("<[^>]*>", "", _sourced(text, **numbers)).replace("&amp;", "&") == plain


def test_a_missing_number_is_named_in_a_line_with_sources_too():
    with pytest.raises(UserError, match=r"one\.md: no number 'knn'"):
        _sourced("{{ knn | share }}")


def test_one_text_read_twice_holds_the_values_of_each():
    text = "| a | b |\n|---|---|\n| {{ a }} | *{{ b }}* |\n\nfirst {{ a }}, then {{ b }}"
    first, second = (_prose(text, a=a, b=b) for a, b in (("one", 2), ("<i>", "*")))
    assert "<td>one</td>" in first and "first one, then 2" in first
    assert "<td>&lt;i&gt;</td>" in second and "<em>*</em>" in second and "first &lt;i&gt;, then *" in second
