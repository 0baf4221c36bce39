"""What a stage costs besides its work: the start of Python with the stage's imports, and DVC.

``python -m benchmarks.stages`` prints

- for each stage of dvc.yaml the seconds that ``python -m stages.<name> --help`` takes, which is its start and
  its imports, the best of three, beside its number of code deps; ``check``, which imports what it needs while
  it runs, is run as a whole;
- for a project of 40 stages that do nothing, with the code deps of the real ones in turn and params blocks of
  their own: the seconds of the first ``dvc repro``, of one after an edit of a module, and of one that finds
  nothing to do, each also by stage.

Seconds are wall clock, beside them those of the processors. DVC writes dvc.lock anew after each
stage, with a few lines for each dep, so what counts is the length of the lists.
"""

import argparse
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from benchmarks.processes import ROOT, Run, run

CODE = ("pipeline", "stages")
TURNS = 3
QUIET = {"DVC_NO_ANALYTICS": "1"}


def read_stages() -> dict[str, Any]:
    """Return the stages of the project's dvc.yaml."""
    return yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]


def code_deps(entry: Mapping[str, Any]) -> list[str]:
    """Return the deps of a stage that are the project's code, in order."""
    return [dep for dep in entry["deps"] if dep.partition("/")[0] in CODE]


def start(module: str, folder: Path) -> Run:
    """Run a stage's command until it has imported all that it needs; of a few turns the shortest."""
    arguments = ["--out", folder / "check"] if module == "stages.check" else ["--help"]
    return min((run(module, arguments, folder=ROOT) for _ in range(TURNS)), key=lambda done: done.seconds)


def make_project(folder: Path, count: int, deps: Sequence[Sequence[str]]) -> None:
    """Write a project of stages that only copy a file, each with one of the lists of deps."""
    for package in CODE:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".dvcignore", folder)
    stages, params = {}, {}
    for number in range(count):
        params[f"block_{number}"] = {"value": number}
        stages[f"stage-{number}"] = {
            "cmd": f"exec cp params.yaml out-{number}",
            "params": [f"block_{number}"],
            "deps": list(deps[number % len(deps)]),
            "outs": [f"out-{number}"],
        }
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    run("dvc", ["init", "--quiet"], folder=folder, **QUIET)


def repro(what: str, folder: Path, count: int) -> None:
    """Run ``dvc repro`` and print what it took, in all and by stage."""
    done = run("dvc", ["repro"], folder=folder, **QUIET)
    print(
        f"{count} stages, {what}: {done.seconds:.1f} s, {done.seconds / count:.2f} s a stage; "
        f"{done.cpu_seconds:.1f} s of the processors"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; see the module's docstring."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=40, help="stages that do nothing")
    parser.add_argument(
        "--imports",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="measure the stages' starts too",
    )
    options = parser.parse_args(arguments)
    stages = read_stages()
    with tempfile.TemporaryDirectory() as temporary:
        for name, entry in stages.items():
            line = f"{name:18} {len(code_deps(entry)):3} code deps"
            if options.imports:
                found = start(entry["cmd"].rpartition(" ")[2], Path(temporary))
                line += f", begins after {found.seconds:.2f} s; {found.cpu_seconds:.2f} s of the processors"
            print(line)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_project(folder, options.count, [code_deps(entry) for entry in stages.values()])
        repro("the first time", folder, options.count)
        with (folder / "pipeline" / "params.py").open("a") as file:
            file.write("# edited\n")
        repro("after an edit", folder, options.count)
        repro("nothing to do", folder, options.count)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
