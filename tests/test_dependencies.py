"""The import closure of a stage, on a small project and on this one."""

import shutil
from pathlib import Path

import pytest

from tests import dependencies
from tests.dependencies import (
    ROOT,
    Sources,
    differences,
    fix,
    is_code,
    module_of,
    read_stages,
    run_time_closures,
)

SMALL_YAML = """\
stages:
  # draws
  draw:
    cmd: exec python -m stages.draw --out pictures
    deps:
      - artifacts/topk.h5  # data first
      - pipeline/__init__.py
      - pipeline/figures/__init__.py
      - pipeline/figures/bars.py
      - pipeline/figures/captions
      - stages/__init__.py
      - stages/command.py
      - stages/draw.py
    outs:
      - pictures
  check:
    cmd: python -m stages.check
    deps:
    - pipeline/__init__.py
    - pipeline/figures/__init__.py
    - pipeline/figures/bars.py
    - pipeline/figures/captions
    - pipeline/late.py
    - stages/__init__.py
    - stages/check.py
    - stages/command.py
    - stages/count.py
    - stages/draw.py
"""

SMALL_FILES = {
    "pipeline/__init__.py": "",
    "pipeline/late.py": "import typing\nif typing.TYPE_CHECKING:\n    from pipeline import typed\n",
    "pipeline/typed.py": "",
    "pipeline/figures/__init__.py": "",
    "pipeline/figures/bars.py": "import numpy\n",
    "pipeline/figures/captions/bars.md": "A bar.",
    "stages/__init__.py": "",
    "stages/command.py": "",
    "stages/draw.py": "from pipeline.figures.bars import __doc__\nfrom . import command\n",
    "stages/count.py": "def run():\n    import pipeline.late\n",
    "stages/check.py": "import importlib\n",
    "dvc.yaml": SMALL_YAML,
}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    for name, text in SMALL_FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """This project's code and its dvc.yaml, whose deps are in order."""
    for package in dependencies.PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    fix(tmp_path)
    return tmp_path


def test_closure_follows_packages_relative_and_function_level_imports(small):
    sources = Sources(small)
    assert sources.closure("stages.draw") == {
        "stages", "stages.draw", "stages.command", "pipeline", "pipeline.figures", "pipeline.figures.bars",
    }  # fmt: skip
    assert sources.closure("stages.count") == {"stages", "stages.count", "pipeline", "pipeline.late"}


def test_check_depends_on_what_any_stage_imports(small):
    sources = Sources(small)
    every = set().union(*(sources.closure(name) for name in sources.stage_modules()))
    assert sources.closure("stages.check") == every


def test_package_data_are_dependencies(small):
    assert "pipeline/figures/captions" in Sources(small).code_deps("stages.draw")
    assert "pipeline/figures/captions" not in Sources(small).code_deps("stages.count")


def test_small_project_has_no_differences(small):
    assert differences(small) == []


CODE_LINES = [
    number for number, line in enumerate(SMALL_YAML.splitlines()) if "- pipe" in line or "- stages" in line
]


@pytest.mark.parametrize("number", CODE_LINES)
def test_each_dep_taken_out_is_found_and_put_back(small, number):
    lines = SMALL_YAML.splitlines(keepends=True)
    taken = lines.pop(number)
    (small / "dvc.yaml").write_text("".join(lines))
    assert [found.missing for found in differences(small)] == [(taken.strip(" -\n"),)]
    fix(small)
    assert (small / "dvc.yaml").read_text() == SMALL_YAML


@pytest.mark.parametrize("extra", ["pipeline/late.py", "pipeline/gone.py", "stages/zebra.py"])
def test_extra_dep_is_found_and_taken_out(small, extra):
    before = (small / "dvc.yaml").read_text()
    line = "      - stages/draw.py\n"
    (small / "dvc.yaml").write_text(before.replace(line, f"{line}      - {extra}\n"))
    assert [found.extra for found in differences(small)] == [(extra,)]
    fix(small)
    assert (small / "dvc.yaml").read_text() == before


def test_several_edits_in_one_file_are_put_back(small):
    before = (small / "dvc.yaml").read_text()
    kept = [
        line for line in before.splitlines(keepends=True) if "bars" not in line and "__init__" not in line
    ]
    (small / "dvc.yaml").write_text("".join(kept))
    fix(small)
    assert (small / "dvc.yaml").read_text() == before


def test_command_prints_the_difference_and_fails(small, capsys):
    assert dependencies.main(["--root", str(small)]) == 0
    (small / "dvc.yaml").write_text(SMALL_YAML.replace("      - stages/draw.py\n", ""))
    assert dependencies.main(["--root", str(small)]) == 1
    assert "stages/draw.py" in capsys.readouterr().out
    assert dependencies.main(["--root", str(small), "--fix"]) == 0


@pytest.mark.parametrize("stage", read_stages(ROOT / "dvc.yaml"))
def test_deps_of_stage_are_its_imports(stage):
    found = {difference.stage: str(difference) for difference in differences(ROOT)}
    assert stage not in found, f"{found[stage]}\nmend with: python -m tests.dependencies --fix"


def test_imports_at_run_time_are_those_that_were_read():
    sources = Sources(ROOT)
    modules = [name for name in sources.stage_modules() if name != dependencies.LOADS_EVERY_STAGE]
    read = {
        name: {sources.files[m].relative_to(ROOT).as_posix() for m in sources.closure(name)}
        for name in modules
    }
    assert run_time_closures(ROOT, modules) == read


def test_every_stage_module_is_run_by_one_stage():
    run = [module_of(stage, entry) for stage, entry in read_stages(ROOT / "dvc.yaml").items()]
    assert sorted(run) == Sources(ROOT).stage_modules()


def test_a_dep_taken_out_of_this_project_is_found_and_put_back(copy):
    before = (copy / "dvc.yaml").read_text()
    for stage, entry in read_stages(copy / "dvc.yaml").items():
        dep = next(dep for dep in reversed(entry["deps"]) if is_code(dep))
        lines = before.splitlines(keepends=True)
        del lines[entry["deps"].lc.item(list(entry["deps"]).index(dep))[0]]
        (copy / "dvc.yaml").write_text("".join(lines))
        assert differences(copy) == [dependencies.Difference(stage, (dep,), ())]
        fix(copy)
        assert (copy / "dvc.yaml").read_text() == before


def test_an_edited_module_makes_stale_the_stages_that_import_it(copy):
    """A new import in a library module reaches the deps of every stage above it."""
    (copy / "pipeline" / "novel.py").write_text('"""New."""\n')
    with (copy / "pipeline" / "store" / "artifact.py").open("a") as file:
        file.write("import pipeline.novel\n")
    users = {
        stage
        for stage, entry in read_stages(copy / "dvc.yaml").items()
        if "pipeline/store/artifact.py" in entry["deps"]
    }
    assert {found.stage for found in differences(copy)} == users
    assert all(found.missing == ("pipeline/novel.py",) for found in differences(copy))
