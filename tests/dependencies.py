"""The code that each stage of dvc.yaml depends on, held against its `deps`.

DVC does not follow imports: a stage whose `deps` miss a module stays "unchanged" when that module is edited.

    python -m tests.dependencies          print what differs; exit 1 if anything does
    python -m tests.dependencies --fix    write the code deps into dvc.yaml, leaving every other line as it is
"""

import argparse
import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("pipeline", "stages")
# This stage loads every stage's params model by name, which no reading of its imports can see.
LOADS_EVERY_STAGE = "stages.check"
# Modules of stages/ that are no stage of their own.
SHARED = {"stages", "stages.command"}

IMPORT_EACH = """
import importlib, json, sys
found = {}
for name in sys.argv[1:]:
    importlib.import_module(name)
    own = [n for n in sys.modules if n.partition(".")[0] in ("pipeline", "stages")]
    found[name] = [sys.modules[n].__file__ for n in own if getattr(sys.modules[n], "__file__", None)]
    for n in own:
        del sys.modules[n]
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Difference:
    """What a stage's `deps` in dvc.yaml lack (`missing`) and hold without need (`extra`)."""

    stage: str
    missing: tuple[str, ...]
    extra: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"  - {path}   is imported, and stands not in deps" for path in self.missing]
        lines += [f"  - {path}   stands in deps, and is not imported" for path in self.extra]
        return "\n".join([f"{self.stage}:", *lines])


class Sources:
    """The project's modules below a root: where each lies and what it imports."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = {_module_name(path.relative_to(root)): path for path in _python_files(root)}
        self._named: dict[str, frozenset[str]] = {}

    def imports(self, module: str) -> frozenset[str]:
        """Return the project modules that one module imports, those in functions included."""
        return frozenset(name for name in self.named(module) if name in self.files)

    def libraries(self, module: str) -> frozenset[str]:
        """Return the top-level packages of others that one module imports."""
        return frozenset(name.partition(".")[0] for name in self.named(module)) - set(PACKAGES)

    def named(self, module: str) -> frozenset[str]:
        """Return every dotted name that the import statements of one module could load."""
        if module not in self._named:
            tree = ast.parse(self.files[module].read_text(encoding="utf-8"))
            self._named[module] = frozenset(name for n in run_nodes(tree) for name in self._names(n, module))
        return self._named[module]

    def closure(self, module: str) -> frozenset[str]:
        """Return a module, its packages, and all project modules that importing it brings in."""
        seen: set[str] = set()
        waiting = list(self._start(module))
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting.extend(self.imports(name))
        return frozenset(seen)

    def stage_modules(self) -> list[str]:
        """Return the modules of stages/ that are stages, sorted."""
        return sorted(name for name in self.files if name.startswith("stages.") and name not in SHARED)

    def code_deps(self, module: str) -> list[str]:
        """Return the paths that a stage depends on, sorted: sources, and the data files of their packages."""
        modules = self.closure(module)
        sources = {self.files[name].relative_to(self.root).as_posix() for name in modules}
        # An empty __init__.py is listed too: one day it may not be empty.
        data = {path for name in modules for path in self._package_data(name)}
        return sorted(sources | data)

    def _start(self, module: str) -> set[str]:
        stages = self.stage_modules() if module == LOADS_EVERY_STAGE else []
        return {name for start in [module, *stages] for name in _with_packages(start)} & set(self.files)

    def _names(self, node: ast.AST, module: str) -> Iterator[str]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_packages(alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = self._base(node, module)
            yield from _with_packages(base)
            yield from (f"{base}.{alias.name}" for alias in node.names)

    def _base(self, node: ast.ImportFrom, module: str) -> str:
        if node.level == 0:
            return node.module or ""
        package = module.split(".")
        is_package = self.files[module].name == "__init__.py"
        kept = package[: len(package) - node.level + is_package]
        return ".".join([*kept, *([node.module] if node.module else [])])

    def _package_data(self, module: str) -> Iterator[str]:
        """Yield the data of a package: folders without Python as folders, single files as files."""
        if self.files[module].name != "__init__.py":
            return
        for path in sorted(self.files[module].parent.iterdir()):
            if path.name == "__pycache__" or path.suffix in {".py", ".pyc"}:
                continue
            inside = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
            if inside and not any(file.suffix == ".py" for file in inside):
                yield path.relative_to(self.root).as_posix()


def read_stages(dvc_yaml: Path) -> Mapping[str, Any]:
    """Return the `stages` of a dvc.yaml, with ruamel's line numbers."""
    return YAML().load(dvc_yaml.read_text(encoding="utf-8"))["stages"]


def module_of(stage: str, entry: Mapping[str, Any]) -> str:
    """Return the stage module that a stage's command runs, such as `stages.topk`."""
    found = re.search(r"-m\s+(stages\.\w+)", str(entry.get("cmd", "")))
    if found is None:
        raise ValueError(f"dvc.yaml: stage {stage}: its cmd runs no `-m stages.<name>`")
    return found.group(1)


def is_code(dep: object) -> bool:
    """Tell whether a dep is the project's code rather than data."""
    return isinstance(dep, str) and dep.partition("/")[0] in PACKAGES


def differences(root: Path) -> list[Difference]:
    """Compare the deps of every stage in `root/dvc.yaml` with the imports of its module."""
    sources = Sources(root)
    found = []
    for stage, entry in read_stages(root / "dvc.yaml").items():
        declared = {str(dep) for dep in entry.get("deps", []) if is_code(dep)}
        needed = set(sources.code_deps(module_of(stage, entry)))
        if declared != needed:
            found.append(
                Difference(stage, tuple(sorted(needed - declared)), tuple(sorted(declared - needed)))
            )
    return found


def fix(root: Path) -> None:
    """Write the code deps of every stage into `root/dvc.yaml`; comments, order and data deps stay."""
    path = root / "dvc.yaml"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    stages = read_stages(path)
    # From the bottom up, so that the line numbers above an edit stay true.
    for difference in sorted(differences(root), key=lambda d: stages[d.stage].lc.line, reverse=True):
        _edit(lines, difference, stages[difference.stage])
    path.write_text("".join(lines), encoding="utf-8")


def _edit(lines: list[str], difference: Difference, entry: Mapping[str, Any]) -> None:
    deps = entry.get("deps")
    if not deps or deps.fa.flow_style():
        raise ValueError(f"dvc.yaml: stage {difference.stage}: deps must be a list with one dep a line")
    at = {str(dep): deps.lc.item(number)[0] for number, dep in enumerate(deps)}
    indent = lines[at[str(deps[0])]].partition("-")[0]
    code = [str(dep) for dep in deps if is_code(dep)]
    inserted = [(_place(path, code, at), f"{indent}- {path}\n") for path in difference.missing]
    edits = [(at[path], None) for path in difference.extra] + inserted
    for line, text in sorted(edits, key=lambda edit: (edit[0], edit[1] or ""), reverse=True):
        lines[line : line + (text is None)] = [] if text is None else [text]


def _place(path: str, code: Sequence[str], at: Mapping[str, int]) -> int:
    """Return the line before which a new dep goes: in order among the code deps, else after the data."""
    earlier = [at[other] for other in code if other < path]
    if earlier:
        return max(earlier) + 1
    return min((at[other] for other in code), default=max(at.values()) + 1)


def run_time_closures(root: Path, modules: Sequence[str]) -> dict[str, set[str]]:
    """Import each stage module in a fresh process and return the project files that this loaded."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EACH, *modules], cwd=root, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"importing {', '.join(modules)} failed:\n{done.stderr}")
    found = json.loads(done.stdout.splitlines()[-1])
    return {
        name: {Path(file).resolve().relative_to(root.resolve()).as_posix() for file in files}
        for name, files in found.items()
    }


def _python_files(root: Path) -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((root / package).rglob("*.py"))


def _module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _with_packages(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[: end + 1]) for end in range(len(parts))]


def run_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk a module without the branches that only a type checker reads."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting.extend(node.orelse)
        else:
            waiting.extend(ast.iter_child_nodes(node))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; see the module's docstring."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fix", action="store_true", help="write the code deps into dvc.yaml")
    parser.add_argument("--root", type=Path, default=ROOT, help="the project's folder")
    options = parser.parse_args(arguments)
    if options.fix:
        fix(options.root)
    found = differences(options.root)
    print("\n".join(map(str, found)) or "dvc.yaml: the deps of every stage are its imports")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
