import re
from itertools import pairwise

import pytest

from pipeline.errors import UserError
from pipeline.report.captions import FOLDER, read_caption, read_chapters, read_page_words

TEXT = """title: One: two
chapter: network
order: 3
finding: All of it
  and more.

The *text*.

## figure-1
title: A: figure
alt: Seen
name share: of the label

A caption: with a colon.

Its second paragraph.

## notice

Nothing but text.
"""


@pytest.fixture
def caption(tmp_path):
    (tmp_path / "one.md").write_text(TEXT)
    return read_caption("one", tmp_path)


def test_head_and_text_are_told_apart(caption):
    assert (caption.title, caption.chapter, caption.order) == ("One: two", "network", 3)
    assert caption.words.text == "The *text*."
    assert caption.words.head["finding"] == "All of it and more."


def test_parts_have_their_own_words(caption):
    figure = caption.part("figure-1")
    assert dict(figure.head) == {"title": "A: figure", "alt": "Seen", "name share": "of the label"}
    assert figure.text == "A caption: with a colon.\n\nIts second paragraph."
    assert caption.part("notice").text == "Nothing but text." and not caption.part("notice").head


def test_a_part_that_is_missing_says_what_to_write(caption):
    with pytest.raises(UserError, match=r"one\.md: no words for 'grid'; write a part '## grid'"):
        caption.part("grid")


@pytest.mark.parametrize(
    ("file", "read"),
    [
        ("new.md", lambda folder: read_caption("new", folder)),
        ("pages/new.md", lambda folder: read_page_words("new", folder)),
        ("chapters.yaml", read_chapters),
    ],
)
def test_what_another_encoding_wrote_is_named(tmp_path, file, read):
    (tmp_path / "pages").mkdir()
    (tmp_path / file).write_bytes("title: Müll".encode("latin-1"))
    with pytest.raises(UserError, match=rf"{re.escape(file)}: cannot be read as text in UTF-8"):
        read(tmp_path)


def test_a_mark_of_the_encoding_is_no_part_of_the_words(tmp_path):
    (tmp_path / "one.md").write_text(TEXT, encoding="utf-8-sig")
    assert read_caption("one", tmp_path).title == "One: two"


def test_missing_caption_file_says_where_to_write_it(tmp_path):
    with pytest.raises(UserError, match=r"occlusion\.md.*write this file"):
        read_caption("occlusion", tmp_path)


@pytest.mark.parametrize(
    "head",
    ["text", "title: One\nchapter: a\n\ntext", "title: One\nchapter: a\norder: x\n\na", "title: a\norder: 1"],
)
def test_head_is_required(tmp_path, head):
    (tmp_path / "one.md").write_text(head)
    with pytest.raises(UserError, match="must begin with"):
        read_caption("one", tmp_path)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("## a\ntitle: x\nalternative: y\n\ntext", "knows no 'alternative'"),
        ("## a\ntitle: x\ntext\n", "must begin with lines 'key: value'"),
        ("## a\n\nx\n\n## a\n\ny\n", "is written twice"),
    ],
)
def test_a_fault_in_a_part_names_it(tmp_path, part, message):
    (tmp_path / "one.md").write_text(f"title: One\nchapter: network\norder: 3\n\ntext\n\n{part}")
    with pytest.raises(UserError, match=rf"one\.md, '## a': {message}"):
        read_caption("one", tmp_path)


def test_chapters_keep_their_order(tmp_path):
    (tmp_path / "chapters.yaml").write_text("units: Units\nabout: About\n")
    assert list(read_chapters(tmp_path).items()) == [("units", "Units"), ("about", "About")]


@pytest.mark.parametrize("text", ["", "- units", "Units: x", "'../x': y", "units: 3", "a: [", "a: {b: c}"])
def test_chapters_are_addresses_and_titles(tmp_path, text):
    (tmp_path / "chapters.yaml").write_text(text)
    with pytest.raises(UserError, match=r"chapters\.yaml"):
        read_chapters(tmp_path)


def joined(text):
    """Yield the ends of lines that the next words follow without a space: a block's end takes its newline."""
    apart = re.sub(r"^\{% (else|elif)[^%]*%\}$", "", text, flags=re.MULTILINE)
    lines = [line for line in apart.splitlines() if not re.fullmatch(r"(\{%[^%]*%\})+", line)]
    for line, following in pairwise(lines):
        words = re.sub(r"\{%[^%]*%\}", "", line)
        if (
            line.endswith("%}")
            and not words.endswith(" ")
            and following
            and not following.startswith((" ", "{%-"))
        ):
            yield line


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{% if a %}One.{% endif %}\nTwo.", 1),
        ("{% if b %}\n{% if a %}One.{% endif %}\n{% endif %}\nTwo.", 1),
        ("{% if a %}\nOne.\n{% endif %}\nTwo.", 0),
        ("{% if a %}One. {% endif %}\nTwo.", 0),
        ("One{% if a %} and a half{% endif %}\n{%- if b %}, two{% endif %}.", 0),
        ("{% if a %}One.{% endif %}\n\nTwo.", 0),
        ("{% if b %}\n{% if a %}One.{% endif %}\n{% else %}\nTwo.\n{% endif %}", 0),
    ],
)
def test_words_that_a_block_would_join_are_found(text, found):
    assert len(list(joined(text))) == found


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.md")), ids=lambda path: path.stem)
def test_no_sentences_are_joined(path):
    texts = [part.partition("\n\n")[2] for part in re.split(r"^## .*$", path.read_text(), flags=re.MULTILINE)]
    assert [line for text in texts for line in joined(text)] == []
