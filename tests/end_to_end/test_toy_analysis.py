"""A toy analysis: what it takes to add one, and that each thing that is forgotten is named."""

import shutil
from fnmatch import fnmatch
from pathlib import Path

import h5py
import numpy as np
import pytest

from pipeline.contents.slugs import layer_slug
from pipeline.report import numbers
from tests import dependencies
from tests.completeness import forgotten
from tests.end_to_end import toy
from tests.end_to_end.project import ROOT, Project

# All that the author of an analysis touches; README.md says so.
TOUCHED = (
    "pipeline/analyses/quiet.py", "pipeline/formats/quiet.py", "pipeline/figures/quiet.py",
    "pipeline/report/captions/quiet.md", "stages/quiet.py", "stages/blocks/quiet.py",
    "stages/render_patches.py", "tests/*/test_quiet.py", "dvc.yaml", "params.yaml", "docs/artifacts.md",
    "tests/end_to_end/test_reruns.py",
)  # fmt: skip
# What is said where an entry is forgotten; a file is named itself.
SAID = {
    "stage": "dvc.yaml has no stage that runs stages.quiet",
    "input of the render stage": "artifacts/quiet.h5: nothing leads from it to the report",
    "dep of the report": "stage report, which says what each artifact was made from, does not depend on",
    "block": "params.yaml has no block 'quiet'",
    "part of the document": "docs/artifacts.md has no part on `quiet.h5`",
    "line of the table of reruns": "TABLE has no line for block 'quiet'",
    "import of the figure": "no stage imports pipeline.figures.quiet",
    "section": "no render stage begins section 'quiet'",
    "input of the render module": "stages.render_patches has no input artifacts/quiet.h5",
}


@pytest.fixture(scope="module")
def project(module_copy: Project) -> Project:
    """A finished project to which the analysis was added; nothing of it has run.

    One copy serves the tests of this file that run it, in their order.
    """
    toy.add(module_copy.root)
    dependencies.fix(module_copy.root)
    return module_copy


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of this project that an analysis touches or that are searched for what it lacks."""
    root = tmp_path_factory.mktemp("sources")
    for name in ("pipeline", "stages", "tests", "docs"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "quiet"))
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, root)
    return root


def test_only_its_own_files_and_entries_are_touched(project):
    status = project.must("git", "status", "--porcelain", "--untracked-files=all").text
    touched = [line[3:] for line in status.splitlines()]
    assert {*toy.FILES, "dvc.yaml", "params.yaml"} <= set(touched)
    assert not [name for name in touched if not any(fnmatch(name, pattern) for pattern in TOUCHED)]


def test_it_runs_and_the_report_says_what_it_found(project):
    assert project.must("dvc", "repro").ran == {"check", "quiet", "render-patches", "report"}
    report = project.root / "report"
    with h5py.File(project.root / "artifacts/quiet.h5") as file:
        layer = str(np.char.decode(file.attrs["layers"])[0])
        shares = file[f"{layer}/share"][()]
    mean, slug = numbers.share(float(shares.mean())), layer_slug(layer)
    chapter = (report / "chapters/units.html").read_text(encoding="utf-8")
    assert "How often units stay quiet" in chapter and mean in chapter
    assert mean in (report / f"layers/{slug}.html").read_text(encoding="utf-8")
    drawn = sorted((report / "units" / slug).glob("*.html"))
    assert drawn
    for page in drawn:
        assert numbers.share(float(shares[int(page.stem)])) in page.read_text(encoding="utf-8")


def test_its_own_tests_and_those_of_the_graph_pass(project):
    tests = [name for name in toy.FILES if name.startswith("tests/")]
    # The miniature's dataset is another than that of the module `manifest`.
    project.must(
        "pytest", "-q", "-p", "no:cacheprovider", "-k", "not manifest", *tests, "tests/test_graph.py"
    )


@pytest.mark.slow
def test_left_out_by_its_params_the_report_says_so(project):
    project.set_params({"quiet.run": False})
    assert project.must("dvc", "repro").ran == {"check", "quiet", "render-patches", "report"}
    chapter = (project.root / "report/chapters/units.html").read_text(encoding="utf-8")
    assert "How often units stay quiet" in chapter and "params.yaml says quiet.run: false" in chapter


def test_with_all_of_it_nothing_is_forgotten(sources, tmp_path):
    root = shutil.copytree(sources, tmp_path / "project")
    toy.add(root)
    assert not forgotten(root)


@pytest.mark.parametrize("name", [*toy.FILES, *toy.ENTRIES])
def test_what_is_left_out_is_named(sources, tmp_path, name):
    root = shutil.copytree(sources, tmp_path / "project")
    toy.add(root, without=name)
    found = forgotten(root)
    module = name.removesuffix(".py").replace("/", ".")
    assert [line for line in found if SAID.get(name, name) in line or f" {module}," in line], found


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("params.yaml", "  run: true   # false: left out\n", "", "block 'quiet' has no key 'run'"),
        ("stages/blocks/quiet.py", "(OptionalBlock)", "(Block)", "quiet.py: Params is no OptionalBlock"),
    ],
)
def test_an_analysis_that_cannot_be_left_out_is_named(sources, tmp_path, file, old, new, said):
    root = shutil.copytree(sources, tmp_path / "project")
    toy.add(root)
    text = (root / file).read_text(encoding="utf-8")
    assert old in text
    (root / file).write_text(text.replace(old, new), encoding="utf-8")
    found = forgotten(root)
    assert [line for line in found if said in line], found
