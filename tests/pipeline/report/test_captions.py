import pytest

from pipeline.errors import UserError
from pipeline.report.captions import read_caption, render_caption
from tests.pipeline.report import fakes


def _rendered(tmp_path, text, **numbers):
    (tmp_path / "one.md").write_text(f"title: One\norder: 3\n\n{text}\n")
    return str(render_caption(read_caption("one", tmp_path), numbers))


def test_title_and_order_come_from_the_head(tmp_path):
    (tmp_path / "one.md").write_text("title: One: two\norder: 3\n\ntext\n")
    caption = read_caption("one", tmp_path)
    assert (caption.title, caption.order, caption.text.strip()) == ("One: two", 3, "text")


def test_numbers_are_filled_in(tmp_path):
    html = _rendered(
        tmp_path, "*$n* of ${n:,}, ${s.accuracy:.1%}, $kl, $$5", n=1797, kl=1.23456, **{"s.accuracy": 0.973}
    )
    assert html == "<p><em>1,797</em> of 1,797, 97.3%, 1.235, $5</p>"


def test_missing_number_is_an_error_that_names_it(tmp_path):
    with pytest.raises(UserError, match=r"one\.md: no number 'knn'"):
        _rendered(tmp_path, "kept $knn", kl=1.0)


def test_number_that_does_not_fit_its_format_is_an_error(tmp_path):
    with pytest.raises(UserError, match="'name' is 'x'"):
        _rendered(tmp_path, "${name:.1%}", name="x")


def test_paragraphs_depend_on_numbers(tmp_path):
    text = "?knc: kept $knc\n\n!knc: no labels\n\n?kl: has $kl\n\n!kl: none"
    assert _rendered(tmp_path, text, kl=2) == "<p>no labels</p>\n<p>has 2</p>"


@pytest.mark.parametrize("name", fakes.HOSTILE)
def test_names_are_neither_html_nor_markdown_nor_placeholders(tmp_path, name):
    html = _rendered(tmp_path, "from $name.", name=name, accuracy=1)
    inside = html.removeprefix("<p>from ").removesuffix(".</p>")
    assert "<" not in inside
    assert "${accuracy}" in inside or "accuracy" not in name


def test_missing_caption_file_says_where_to_write_it(tmp_path):
    with pytest.raises(UserError, match=r"occlusion\.md.*write this file"):
        read_caption("occlusion", tmp_path)


@pytest.mark.parametrize("head", ["text\n", "title: One\n\ntext", "title: One\norder: x\n\ntext"])
def test_head_is_required(tmp_path, head):
    (tmp_path / "one.md").write_text(head)
    with pytest.raises(UserError, match="must begin with"):
        read_caption("one", tmp_path)
