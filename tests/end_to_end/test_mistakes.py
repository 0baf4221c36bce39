"""A user's mistake ends in one line, before anything that was there is touched."""

import pytest
import yaml

from tests.end_to_end.project import Project

# What is changed -> words that the one line has to hold.
MISTAKES = {
    "mistyped key": ({"topk": {"k": 3, "margins": 1}}, ("topk.margins", "margin")),
    "mistyped block": ({"topks": {"k": 3}}, ("topks", "topk")),
    "k of zero": ({"topk": {"k": 0, "margin": 1}}, ("topk.k", "0")),
    "text for a number": ({"thumbnails": {"size": "large"}}, ("thumbnails.size", "large")),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_one_line_and_leaves_every_output(module_copy: Project, name):
    before, params = module_copy.results(), (module_copy.root / "params.yaml").read_bytes()
    change, words = MISTAKES[name]
    try:
        _replace_blocks(module_copy, change)
        outcome = module_copy.run("dvc", "repro")
    finally:
        (module_copy.root / "params.yaml").write_bytes(params)
    lines = [line for line in outcome.text.splitlines() if line.startswith("check: error:")]
    assert outcome.code != 0
    assert len(lines) == 1 and "Traceback" not in outcome.text, outcome.text
    assert all(word in lines[0] for word in words), lines[0]
    assert module_copy.results() == before
    assert not module_copy.must("dvc", "repro").ran


def _replace_blocks(project: Project, blocks: dict) -> None:
    params = {**project.params(), **blocks}
    (project.root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
