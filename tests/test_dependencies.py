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
      - pipeline/figures/bars.py
      - pipeline/figures/captions
      - pipeline/tables
      - stages/command.py
      - stages/draw.py
    outs:
      - pictures
  count:
    cmd: exec python -m stages.count
    deps:
    - pipeline/late.py
    - pipeline/tables/rows.py
    - stages/count.py
  check:
    cmd: python -m stages.check
    deps:
    - pipeline
    - stages
"""

SMALL_FILES = {
    "pipeline/__init__.py": "",
    "pipeline/late.py": "import typing\nif typing.TYPE_CHECKING:\n    from pipeline import typed\n",
    "pipeline/typed.py": "",
    "pipeline/figures/__init__.py": '"""Only words."""\n',
    "pipeline/figures/bars.py": "import numpy\nimport pipeline.tables.cells, pipeline.tables.rows\n",
    "pipeline/figures/captions/bars.md": "A bar.",
    "pipeline/tables/__init__.py": "",
    "pipeline/tables/cells.py": "",
    "pipeline/tables/rows.py": "",
    "pipeline/tables/ropes.py": "",
    "stages/__init__.py": "",
    "stages/command.py": "",
    "stages/draw.py": "from pipeline.figures.bars import __doc__\nfrom . import command\n",
    "stages/count.py": "def run():\n    import pipeline.late, pipeline.tables.rows\n",
    "stages/check.py": "import importlib\n",
    "dvc.yaml": SMALL_YAML,
}
# A stage that runs a network uses all of a room: its work is lost, or its shards are kept.
NETWORK_FILES = {
    "pipeline/model/__init__.py": "",
    "pipeline/model/network.py": "import torch\n",
    "pipeline/shards/__init__.py": "",
    "pipeline/shards/pool.py": "",
    "stages/count.py": "import pipeline.model.network\n",
    "stages/draw.py": "import pipeline.model.network, pipeline.shards.pool\n",
}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    write(tmp_path, SMALL_FILES)
    return tmp_path


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


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
        "pipeline.tables", "pipeline.tables.cells", "pipeline.tables.rows",
    }  # fmt: skip
    assert sources.closure("stages.count") == {
        "stages", "stages.count", "pipeline", "pipeline.late", "pipeline.tables", "pipeline.tables.rows",
    }  # fmt: skip


def test_folder_stands_where_two_thirds_of_its_modules_are_used(small):
    assert "pipeline/tables" in Sources(small).code_deps("stages.draw")
    write(small, {"pipeline/tables/reams.py": ""})
    assert {"pipeline/tables/cells.py", "pipeline/tables/rows.py"} < set(
        Sources(small).code_deps("stages.draw")
    )


def test_list_of_modules_never_stands_as_a_folder(small):
    """Its one module is all of figures/; the next would not be this stage's."""
    assert "pipeline/figures/bars.py" in Sources(small).code_deps("stages.draw")


def test_folder_within_a_list_may(small):
    write(small, {"pipeline/figures/ink/__init__.py": "", "pipeline/figures/ink/red.py": ""})
    write(small, {"stages/draw.py": "import pipeline.figures.ink.red\n"})
    assert "pipeline/figures/ink" in Sources(small).code_deps("stages.draw")


def test_network_without_shards_keeps_files(small):
    write(small, NETWORK_FILES)
    sources = Sources(small)
    assert sources.code_deps("stages.count") == ["pipeline/model/network.py", "stages/count.py"]
    assert sources.code_deps("stages.draw") == ["pipeline/model", "pipeline/shards", "stages/draw.py"]


def test_package_stands_for_itself_once_it_holds_code(small):
    write(small, {"pipeline/__init__.py": '"""Words."""\nimport pipeline.typed\n'})
    assert {"pipeline/__init__.py", "pipeline/typed.py"} < set(Sources(small).code_deps("stages.count"))


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


@pytest.mark.parametrize(
    "extra", ["pipeline/late.py", "pipeline/tables/rows.py", "pipeline/gone.py", "stages/zebra.py"]
)
def test_extra_dep_is_found_and_taken_out(small, extra):
    before = (small / "dvc.yaml").read_text()
    line = "      - stages/draw.py\n"
    (small / "dvc.yaml").write_text(before.replace(line, f"{line}      - {extra}\n"))
    assert [found.extra for found in differences(small)] == [(extra,)]
    fix(small)
    assert (small / "dvc.yaml").read_text() == before


def test_comment_beside_a_code_dep_stays(small):
    commented = SMALL_YAML.replace("pipeline/tables\n", "pipeline/tables  # two of three\n")
    (small / "dvc.yaml").write_text(commented.replace("      - stages/draw.py\n", ""))
    fix(small)
    assert (small / "dvc.yaml").read_text() == commented


def test_several_edits_in_one_file_are_put_back(small):
    before = (small / "dvc.yaml").read_text()
    kept = [line for line in before.splitlines(keepends=True) if "bars.py" not in line and "late" not in line]
    text = "".join(kept).replace("    - pipeline\n", "    - pipeline/late.py\n    - pipeline/typed.py\n")
    (small / "dvc.yaml").write_text(text)
    fix(small)
    assert (small / "dvc.yaml").read_text() == before


def test_entry_without_code_deps_gets_them_after_its_data(small):
    dep = "      - artifacts/topk.h5  # data first\n"
    head, tail = SMALL_YAML.split(dep)
    (small / "dvc.yaml").write_text(f"{head}{dep}    outs:{tail.partition('    outs:')[2]}")
    fix(small)
    assert (small / "dvc.yaml").read_text() == SMALL_YAML


def test_command_prints_the_difference_and_fails(small, capsys):
    assert dependencies.main(["--root", str(small)]) == 0
    (small / "dvc.yaml").write_text(SMALL_YAML.replace("      - stages/draw.py\n", ""))
    assert dependencies.main(["--root", str(small)]) == 1
    assert "stages/draw.py" in capsys.readouterr().out
    assert dependencies.main(["--root", str(small), "--fix"]) == 0


def test_deps_of_every_stage_follow_its_imports():
    found = "\n".join(map(str, differences(ROOT)))
    assert not found, f"{found}\nmend with: python -m tests.dependencies --fix"


def test_imports_at_run_time_are_those_that_were_read():
    sources = Sources(ROOT)
    modules = [name for name in sources.stage_modules() if name != dependencies.LOADS_EVERY_BLOCK]
    read = {
        name: {sources.files[m].relative_to(ROOT).as_posix() for m in sources.closure(name)}
        for name in modules
    }
    assert run_time_closures(ROOT, modules) == read


def test_every_stage_module_is_run_by_one_stage():
    run = [module_of(stage, entry) for stage, entry in read_stages(ROOT / "dvc.yaml").items()]
    assert sorted(run) == Sources(ROOT).stage_modules()


def test_a_dep_taken_out_of_every_stage_is_found_and_put_back(copy):
    before = (copy / "dvc.yaml").read_text()
    lines = before.splitlines(keepends=True)
    taken = {}
    for stage, entry in reversed(list(read_stages(copy / "dvc.yaml").items())):
        number, dep = next((n, dep) for n, dep in reversed(list(enumerate(entry["deps"]))) if is_code(dep))
        del lines[entry["deps"].lc.item(number)[0]]
        taken[stage] = (dep,)
    (copy / "dvc.yaml").write_text("".join(lines))
    assert {found.stage: found.missing for found in differences(copy)} == taken
    fix(copy)
    assert (copy / "dvc.yaml").read_text() == before


def test_a_new_import_reaches_the_stages_above_it(copy):
    (copy / "pipeline" / "novel.py").write_text('"""New."""\n')
    with (copy / "pipeline" / "images" / "preprocess.py").open("a") as file:
        file.write("import pipeline.novel\n")
    users = {
        stage
        for stage, entry in read_stages(copy / "dvc.yaml").items()
        if {"pipeline/images", "pipeline/images/preprocess.py"} & set(entry["deps"])
    }
    assert {found.stage for found in differences(copy)} == users
    assert all(found.missing == ("pipeline/novel.py",) for found in differences(copy))
