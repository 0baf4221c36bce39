from dataclasses import replace

import numpy as np
import pytest

from pipeline.contents.writing import SectionDraft
from pipeline.figures.probes import add_probes
from pipeline.formats.status import not_run
from pipeline.report.captions import read_caption
from pipeline.report.wording import prose
from tests.small.probes import PICTURED, PROBES

NAMES = ["cat", "dog", "owl"]


def test_each_probe_is_listed_and_has_its_picture_on_its_page(tmp_path):
    section = SectionDraft("probes", tmp_path)
    add_probes(section, PROBES, PICTURED, NAMES)
    content = section.content()
    (table,) = content.blocks
    assert table.rows == (
        ("a/7.png", "dog", "dog", 0.9, "right"),
        ("b/2.png", "cat", "owl", 0.5, "wrong"),
        ("c/5.png", None, "cat", 0.25, None),
    )
    assert [part.path for part in content.images] == ["a/7.png", "b/2.png", "c/5.png"]
    assert [fact.value for fact in content.images[1].facts] == ["cat", "owl", 0.5, "wrong"]
    assert [fact.name for fact in content.images[2].facts] == ["predicted", "probability"]
    assert all((tmp_path / name).is_file() for name in content.files)
    assert {name: content.numbers[name] for name in ("right", "wrong", "unlabelled")} == {
        "right": 1, "wrong": 1, "unlabelled": 1,
    }  # fmt: skip


def test_without_any_label_there_is_no_column_of_labels(tmp_path):
    section = SectionDraft("probes", tmp_path)
    add_probes(section, replace(PROBES, label=np.full(3, -1, np.int32)), PICTURED, NAMES)
    (table,) = section.content().blocks
    assert [column.name for column in table.columns] == ["image", "predicted", "probability"]
    assert table.rows == (("a/7.png", "dog", 0.9), ("b/2.png", "owl", 0.5), ("c/5.png", "cat", 0.25))


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        (3, 2, "gets right and some that it gets wrong, one"),
        (3, 0, "gets right, one"),
        (0, 2, "gets wrong, one"),
    ],
)
def test_what_was_drawn_is_said(right, wrong, said):
    numbers = {"right": right, "wrong": wrong, "probes": right + wrong, "named": 0, "split": "test"}
    assert f"some that the network {said} of every class" in " ".join(
        prose(read_caption("probes").words, numbers).split()
    )


def test_left_out_it_says_why(tmp_path):
    section = SectionDraft("probes", tmp_path)
    add_probes(section, not_run("probes"), {}, NAMES)
    assert section.content().reason == "params.yaml says probes.run: false"
