"""README.md is held against what there is: its pictures, the sections that it names, its example."""

import re
from copy import deepcopy

import yaml

from pipeline.params import read_params
from pipeline.presets import merge
from pipeline.report.captions import FOLDER, read_caption, read_chapters
from stages.check import all_blocks, check_schemas
from tests.dependencies import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
LARGEST_PICTURES = 800_000  # bytes


def test_every_file_that_is_linked_is_there():
    linked = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert linked and not [name for name in linked if not (ROOT / name).exists()]


def test_pictures_are_shown_and_small():
    pictures = sorted((ROOT / "docs/pictures").iterdir())
    assert pictures and all(f"docs/pictures/{path.name}" in README for path in pictures)
    assert sum(path.stat().st_size for path in pictures) < LARGEST_PICTURES


def test_each_question_names_sections_that_there_are_in_the_chapter_that_it_says():
    chapters = {title: slug for slug, title in read_chapters().items()}
    captions = [read_caption(path.stem) for path in FOLDER.glob("*.md")]
    titles = {(caption.chapter, caption.title) for caption in captions}
    table = README.partition("## What the report answers")[2].partition("\n## ")[0]
    cells = [
        line.split("|")[2].strip() for line in table.splitlines() if line.startswith("| ") and "?" in line
    ]
    answered = set()
    for cell in cells:
        sections, chapter = re.fullmatch(r"(.+) \(([^)]+)\)", cell).groups()
        named = {(chapters[chapter], section) for section in sections.split("; ")}
        assert named <= titles, cell
        answered |= named
    assert len(answered) > 20


def test_the_example_of_own_data_is_a_valid_preset():
    example = yaml.safe_load(re.search(r"```yaml\n(sample:.*?)```", README, re.DOTALL)[1])
    values = deepcopy(read_params(ROOT / "params.yaml"))
    merge(values, example)
    check_schemas(values, all_blocks(), "README.md over params.yaml")
