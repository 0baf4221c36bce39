"""The code that each stage of dvc.yaml depends on, held against its `deps`.

DVC does not follow imports: a stage whose `deps` miss a module stays "unchanged" when that module is edited.

    python -m tests.dependencies          print what differs; exit 1 if anything does
    python -m tests.dependencies --fix    write the code deps into dvc.yaml, leaving every other line as it is

A folder stands among the deps where a stage uses two thirds of its modules or more, else the modules do: DVC
takes time for each dep, and people read the list. Three keep to this rule, each for its reason:

- `check` looks at what concerns every stage and costs little: it depends on the packages whole.
- A stage that runs a network and has no shard pool loses all its work to an edit: it lists modules alone.
- A list (one module an artifact, a section, a method) is never used as a whole, only folders within it.
"""

import argparse
import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("pipeline", "stages")
BLOCKS = "stages.blocks"
# This stage loads every block's schema by name, which no reading of its imports can see.
LOADS_EVERY_BLOCK = "stages.check"
# Modules of stages/ that are no stage of their own.
SHARED = {"stages", "stages.command", "stages.beginning", "stages.leaving", "stages.times"}
# Rooms that are lists: what one member holds is nothing to who uses another.
LISTS = {"analyses", "formats", "figures"}
RUNS_A_NETWORK = "pipeline.model.network"
KEEPS_SHARDS = "pipeline.shards.pool"

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
        lines = [f"  - {path}   should stand in deps" for path in self.missing]
        lines += [f"  - {path}   stands in deps without need" for path in self.extra]
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
            nodes = import_nodes(parse(self.files[module]))
            self._named[module] = frozenset(name for n in nodes for name in self._names(n, module))
        return self._named[module]

    def required(self, module: str) -> frozenset[str]:
        """Return the dotted names that one module's imports need as modules, there or not."""
        found: set[str] = set()
        for node in import_nodes(parse(self.files[module])):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node, module)
                found.add(base)
                # A package without code hands on nothing but its modules.
                if base in self.files and not _holds_code(self.files[base]):
                    found |= {f"{base}.{alias.name}" for alias in node.names}
        return frozenset(found)

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
        inside = [name for name in self.files if name.startswith("stages.")]
        return sorted(name for name in inside if name not in SHARED and not is_block(name))

    def block_modules(self) -> list[str]:
        """Return the modules that each hold the schema of a block of params.yaml, sorted."""
        return sorted(name for name in self.files if name.startswith(f"{BLOCKS}."))

    def code_deps(self, module: str) -> list[str]:
        """Return the paths that a stage depends on, sorted: modules or their folders, and packages' data."""
        if module == LOADS_EVERY_BLOCK:
            return list(PACKAGES)
        modules = self.closure(module)
        used = {self.files[name] for name in modules} & self._code
        data = {path for name in modules for path in self._package_data(name)}
        loses_all = RUNS_A_NETWORK in modules and KEEPS_SHARDS not in modules
        folders = set() if loses_all else self._mostly_used(used)
        return sorted({self._place(path, folders) for path in used | data})

    @cached_property
    def _code(self) -> frozenset[Path]:
        """The files that hold code; an `__init__.py` with a docstring or nothing has none to be edited."""
        return frozenset(path for path in self.files.values() if _holds_code(path))

    def _mostly_used(self, used: Set[Path]) -> set[Path]:
        """Return the folders below pipeline/ of whose modules two thirds or more are used; lists never."""
        package = self.root / "pipeline"
        passed_over = {package / name for name in LISTS}
        share: dict[Path, list[bool]] = {}
        for path in self._code:
            for folder in path.parents:
                if package in folder.parents and folder not in passed_over:
                    share.setdefault(folder, []).append(path in used)
        return {folder for folder, held in share.items() if 3 * sum(held) >= 2 * len(held)}

    def _place(self, path: Path, folders: Set[Path]) -> str:
        """Return the outermost of the folders that holds a path, else the path."""
        holding = [folder for folder in path.parents if folder in folders]
        return (holding[-1] if holding else path).relative_to(self.root).as_posix()

    def _start(self, module: str) -> set[str]:
        blocks = self.block_modules() if module == LOADS_EVERY_BLOCK else []
        return {name for start in [module, *blocks] for name in _with_packages(start)} & set(self.files)

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

    def _package_data(self, module: str) -> Iterator[Path]:
        """Yield the data of a package: folders without Python as folders, single files as files."""
        if self.files[module].name != "__init__.py":
            return
        for path in sorted(self.files[module].parent.iterdir()):
            if path.name == "__pycache__" or path.suffix in {".py", ".pyc"}:
                continue
            inside = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
            if inside and not any(file.suffix == ".py" for file in inside):
                yield path


def read_stages(dvc_yaml: Path) -> Mapping[str, Any]:
    """Return the `stages` of a dvc.yaml, with ruamel's line numbers."""
    return YAML().load(dvc_yaml.read_text(encoding="utf-8"))["stages"]


def module_of(stage: str, entry: Mapping[str, Any]) -> str:
    """Return the stage module that a stage's command runs, such as `stages.topk`."""
    found = re.search(r"-m\s+(stages\.\w+)", str(entry.get("cmd", "")))
    if found is None:
        raise ValueError(f"dvc.yaml: stage {stage}: its cmd runs no `-m stages.<name>`")
    return found.group(1)


def is_block(module: str) -> bool:
    """Tell whether a module holds the schema of a block, or is their package."""
    return module == BLOCKS or module.startswith(f"{BLOCKS}.")


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
    sources, stages = Sources(root), read_stages(path)
    # From the bottom up, so that the line numbers above an edit stay true.
    for stage, entry in sorted(stages.items(), key=lambda item: item[1].lc.line, reverse=True):
        _edit(lines, sources.code_deps(module_of(stage, entry)), entry)
    path.write_text("".join(lines), encoding="utf-8")


def _edit(lines: list[str], needed: Sequence[str], entry: Mapping[str, Any]) -> None:
    """Put the needed code deps where an entry's stood, else after its last dep; lines that stay are kept."""
    deps = entry.get("deps")
    if not deps or deps.fa.flow_style():
        raise ValueError(f"dvc.yaml, line {entry.lc.line}: deps must be a list with one dep a line")
    at = {str(dep): deps.lc.item(number)[0] for number, dep in enumerate(deps)}
    indent = lines[at[str(deps[0])]].partition("-")[0]
    code = {path: line for path, line in at.items() if is_code(path)}
    kept = {path: lines[line] for path, line in code.items()}
    start = min(code.values(), default=max(at.values()) + 1)
    for line in sorted(code.values(), reverse=True):
        del lines[line]
    lines[start:start] = [kept.get(path, f"{indent}- {path}\n") for path in needed]


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


def parse(path: Path) -> ast.Module:
    """Return the syntax tree of a file, which is not to be changed."""
    return _parsed(path.read_text(encoding="utf-8"))


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


def _python_files(root: Path) -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((root / package).rglob("*.py"))


def _module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _holds_code(path: Path) -> bool:
    body = parse(path).body
    docstring = body[:1] and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    return path.name != "__init__.py" or bool(body[1:] if docstring else body)


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


@cache
def import_nodes(tree: ast.Module) -> tuple[ast.AST, ...]:
    """Return the imports of a module that are run, those in functions included."""
    return tuple(node for node in run_nodes(tree) if isinstance(node, ast.Import | ast.ImportFrom))


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
    print("\n".join(map(str, found)) or "dvc.yaml: the deps of every stage follow its imports")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
