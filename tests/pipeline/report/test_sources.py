import importlib
from pathlib import Path

import pytest

import stages
from pipeline.report.captions import FOLDER, read_caption
from pipeline.report.sources import sources_of
from tests.pipeline.report import fakes

SECTIONS = sorted(path.stem for path in FOLDER.glob("*.md"))
RENDERED = sorted(path.stem for path in Path(stages.__file__).parent.glob("render_*.py"))


def test_a_section_is_drawn_from_what_its_caption_says_or_from_its_own_artifact(tmp_path):
    (tmp_path / "more.md").write_text(
        "title: More\nchapter: units\norder: 1\nsource: topk.h5, embedding.h5\n\nx\n"
    )
    provenance = fakes.provenance()
    assert [one.artifact.stage for one in sources_of("more", read_caption("more", tmp_path), provenance)] == [
        "topk", "embedding"
    ]  # fmt: skip
    (tmp_path / "topk.md").write_text("title: Own\nchapter: units\norder: 1\n\nx\n")
    (own,) = sources_of("topk", read_caption("topk", tmp_path), provenance)
    assert own.artifact.name == "topk.h5" and own.params == "topk:\n  k: 9"


@pytest.mark.parametrize("section", SECTIONS)
def test_what_a_caption_names_is_read_by_a_render_stage(section):
    inputs = [set(importlib.import_module(f"stages.{name}").STAGE.inputs.values()) for name in RENDERED]
    said = read_caption(section).words.head.get("source", f"{section}.h5").split(",")
    named = {f"artifacts/{name.strip().removesuffix('/index.h5')}" for name in said}
    assert any(named <= one for one in inputs), named
