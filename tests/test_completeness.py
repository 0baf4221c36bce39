"""What is taken out of a copy of this project is named; the analysis of patches stands for all."""

import shutil
from pathlib import Path

import pytest

from tests.completeness import forgotten
from tests.dependencies import ROOT

READ = ("pipeline", "stages", "tests", "docs", "params.yaml", "dvc.yaml")
# Files that are taken away, and what is said then; texts of a file, what stands in their place, and the same.
REMOVED = {
    "pipeline/analyses/patches/thumbnails.py": "imports pipeline.analyses.patches.thumbnails",
    "pipeline/formats/second_ranking.py": "imports pipeline.formats.second_ranking",
    "pipeline/formats/topk.py": "pipeline/formats/topk.py, the format of artifacts/topk.h5",
    "stages/patches.py": "dvc.yaml runs stages.patches, which is not there",
    "stages/blocks/patches.py": "stages/blocks/patches.py, the schema of block 'patches'",
    "pipeline/figures/patches.py": "pipeline/figures/patches.py, which draws section 'patches'",
    "pipeline/report/captions/patches.md": "the words of section 'patches'",
    "tests/stages/test_patches.py": "the test of stages.patches",
    "tests/pipeline/formats/test_second_ranking.py": "the test of pipeline.formats.second_ranking",
    "tests/pipeline/analyses/patches/test_patches.py": "the test of pipeline.analyses.patches.patches",
}
CHANGED = [
    (
        "stages/render_patches.py",
        '.section("patches")',
        ".begin()",
        "begins section 'patches'",
    ),
    ("params.yaml", "\nthumbnails:", "\nnails:", "params.yaml has no block 'thumbnails'"),
    ("params.yaml", "# side of a stored patch", "", "'patches.side' has no comment"),
    (
        "tests/end_to_end/test_reruns.py",
        '"patches.side"',
        '"topk.m"',
        "no line for block 'patches'",
    ),
    ("docs/artifacts.md", "## `patches.h5`", "", "has no part on `patches.h5`"),
    (
        "dvc.yaml",
        "outs:\n    - artifacts/thumbnails.h5",
        "outs:\n    - artifacts/x.h5",
        "x.h5: nothing leads",
    ),
    (
        "dvc.yaml",
        "    - artifacts/topk.h5\n    - artifacts/training_dynamics.h5",
        "    - artifacts/training_dynamics.h5",
        "on artifacts/topk.h5",
    ),
    ("dvc.yaml", "-m stages.patches", "-m stages.topk", "dvc.yaml has no stage that runs stages.patches"),
    ("dvc.yaml", "plots/predictions_calibration.csv:", "x:", "shows nothing of plots/predictions_calib"),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("project")
    for name in READ:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, root)
    return root


def test_the_project_lacks_nothing(copy):
    assert not forgotten(copy)


@pytest.mark.parametrize("name", REMOVED)
def test_missing_file_is_named(copy, name):
    moved = (copy / name).rename(copy / "aside")
    found = forgotten(copy)
    moved.rename(copy / name)
    assert [line for line in found if REMOVED[name] in line], found


@pytest.mark.parametrize(("name", "old", "new", "said"), CHANGED)
def test_missing_entry_is_named(copy, name, old, new, said):
    before = (copy / name).read_text()
    assert old in before
    (copy / name).write_text(before.replace(old, new))
    found = forgotten(copy)
    (copy / name).write_text(before)
    assert [line for line in found if said in line], found
