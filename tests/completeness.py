"""What belongs to an analysis and was forgotten, found by reading the project's files.

A new analysis touches a dozen places, and most of them work without each other: a format without its part of
the document, a stage whose artifact nobody reads, a figure without words. `forgotten` names each.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from tests.dependencies import BLOCKS, PACKAGES, Sources, is_code, module_of, parse

# The rooms that are lists, of which each member belongs to an analysis or to the spine.
MEMBERS = ("pipeline.analyses.", "pipeline.formats.", "pipeline.figures.", "stages.")
# What members share.
TOOLS = ("pipeline.figures.drawing.", "pipeline.formats.geometry", "stages.command")
# Stages without which there is no report, and the one that writes it. Others may be left out, and say so.
SPINE = {
    "check", "sample", "manifest", "weights", "extract", "predictions", "topk", "patches", "embedding",
    "thumbnails", "report",
}  # fmt: skip
# Every stage waits for it, and none reads it.
GATE = "artifacts/check"
FIGURES = "artifacts/figures"
# What is tested by the tests of what uses it.
TESTED_ELSEWHERE = {
    "pipeline.analyses.embedding.components": "tests/pipeline/analyses/embedding/test_embedding.py",
    "pipeline.figures.embedding": "tests/stages/test_render_embedding.py",
    "pipeline.figures.patches": "tests/stages/test_render_patches.py",
    "stages.check": "tests/end_to_end/test_mistakes.py",
    "stages.extract": "tests/pipeline/extraction/test_extraction.py",
    "stages.sample": "tests/pipeline/dataset/test_samples.py",
}
RERUNS = Path("tests/end_to_end/test_reruns.py")
DOCUMENT = Path("docs/artifacts.md")
CAPTIONS = Path("pipeline/report/captions")


def forgotten(root: Path) -> list[str]:
    """Return what a project lacks, a sentence each; empty where it is complete."""
    sources, graph = Sources(root), _read_yaml(root / "dvc.yaml")
    return [
        *_imports(sources),
        *_unused(sources, graph["stages"]),
        *_tests(sources),
        *_blocks(root, sources),
        *_choices(root, sources, graph["stages"]),
        *_artifacts(root, graph["stages"]),
        *_inputs(sources, graph["stages"]),
        *_plots(graph),
        *_sections(root, sources),
    ]


def _read_yaml(path: Path) -> Any:
    return _loaded(path.read_text(encoding="utf-8"))


@cache
def _loaded(text: str) -> Any:
    return YAML().load(text)


def _imports(sources: Sources) -> Iterator[str]:
    """Name each module that is imported and is not there."""
    for module in sources.files:
        own = {name for name in sources.required(module) if name.partition(".")[0] in PACKAGES}
        for name in sorted(own - set(sources.files)):
            yield f"{module} imports {name}, which is not there"


def _unused(sources: Sources, stages: Mapping[str, Any]) -> Iterator[str]:
    """Name each stage module that dvc.yaml does not run, and each member of a list that no stage imports."""
    run, there = {module_of(name, entry) for name, entry in stages.items()}, sources.stage_modules()
    for module in sorted(run - set(there)):
        yield f"dvc.yaml runs {module}, which is not there"
    for module in sorted(set(there) - run):
        yield f"dvc.yaml has no stage that runs {module}"
    used = set().union(*(sources.closure(module) for module in there))
    for module in _members(sources):
        if module not in used and not module.startswith("stages."):
            yield f"no stage imports {module}"


def _tests(sources: Sources) -> Iterator[str]:
    """Name each member of a list that has no test."""
    for module in _members(sources):
        *folders, name = module.split(".")
        test = TESTED_ELSEWHERE.get(module, "/".join(["tests", *folders, f"test_{name}.py"]))
        if not module.startswith(BLOCKS) and not (sources.root / test).is_file():
            yield f"{test}, the test of {module}, is not there"


def _members(sources: Sources) -> list[str]:
    """Return the modules of the rooms that are lists, packages and what all stages share left out."""
    return [
        module
        for module, path in sources.files.items()
        if module.startswith(MEMBERS) and not module.startswith(TOOLS) and path.name != "__init__.py"
    ]


def _blocks(root: Path, sources: Sources) -> Iterator[str]:
    """Name each block that lacks its values, its schema, a comment, or its line in the table of reruns."""
    params = _read_yaml(root / "params.yaml")
    schemas = {module.rpartition(".")[2] for module in sources.block_modules()}
    table = {name.partition(".")[0] for name in _table(root / RERUNS)}
    for name in sorted(schemas - set(params)):
        yield f"params.yaml has no block '{name}'"
    for name in sorted(set(params) - schemas):
        yield f"stages/blocks/{name}.py, the schema of block '{name}', is not there"
    for name in sorted(schemas - table):
        yield f"{RERUNS}: TABLE has no line for block '{name}'"
    for name, comment in comments(root / "params.yaml").items():
        if not comment:
            yield f"params.yaml: '{name}' has no comment"


def comments(path: Path) -> dict[str, str]:
    """Return what is said of each key of a file of parameters, by dotted name: beside it, else above it."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = {}
    for name, line in _keys(_read_yaml(path)):
        above = takewhile(lambda text: text.lstrip().startswith("#"), reversed(lines[:line]))
        beside = lines[line].partition("#")[2]
        found[name] = beside or " ".join(text.strip("# ") for text in reversed(list(above)))
    return found


def optional_stages(stages: Mapping[str, Any]) -> list[str]:
    """Return the names of the analyses that the report can do without."""
    return [name for name in stages if name not in SPINE and not name.startswith("render-")]


def _choices(root: Path, sources: Sources, stages: Mapping[str, Any]) -> Iterator[str]:
    """Name each analysis beyond the spine whose block cannot say that it is left out."""
    params = _read_yaml(root / "params.yaml")
    for name in optional_stages(stages):
        block = str(next(iter(stages[name].get("params", [])), ""))
        schema = sources.files.get(f"{BLOCKS}.{block}")
        if schema and "OptionalBlock" not in _bases(schema):
            yield f"stages/blocks/{block}.py: Params is no OptionalBlock, so stage {name} cannot be left out"
        if "run" not in params.get(block, {"run": True}):
            yield f"params.yaml: block '{block}' has no key 'run', so stage {name} cannot be left out"


def _bases(path: Path) -> set[str]:
    """Return what a module's class Params is made from."""
    return {
        ast.unparse(base)
        for node in parse(path).body
        if isinstance(node, ast.ClassDef) and node.name == "Params"
        for base in node.bases
    }


def _keys(values: CommentedMap, prefix: str = "") -> Iterator[tuple[str, int]]:
    """Yield every key of loaded parameters by its dotted name, with its line."""
    for key, value in values.items():
        yield f"{prefix}{key}", values.lc.key(key)[0]
        if isinstance(value, CommentedMap):
            yield from _keys(value, f"{prefix}{key}.")


def _table(path: Path) -> list[str]:
    """Return the parameters that the table of reruns names."""
    for node in parse(path).body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "TABLE":
            assert isinstance(node.value, ast.Dict)
            return [ast.literal_eval(key) for key in node.value.keys if key is not None]
    raise ValueError(f"{path} has no dict called TABLE")


def _artifacts(root: Path, stages: Mapping[str, Any]) -> Iterator[str]:
    """Name each artifact that reaches nothing, or has no format or no part in the document."""
    document = (root / DOCUMENT).read_text(encoding="utf-8")
    for name, entry in stages.items():
        for out in _paths(entry.get("outs", [])):
            if not out.startswith("artifacts/") or out == GATE:
                continue
            if not entry.get("metrics") and not _reaches_report(out, stages):
                yield f"{out}: nothing leads from it to the report, and stage {name} has no metrics"
            file = out.removeprefix("artifacts/")
            if not file.endswith(".h5"):
                continue
            if not any(_overlap(out, dep) for dep in stages["report"]["deps"]):
                yield f"stage report, which says what each artifact was made from, does not depend on {out}"
            if not (root / "pipeline/formats" / file).with_suffix(".py").is_file():
                yield f"pipeline/formats/{file[:-3]}.py, the format of {out}, is not there"
            if not re.search(rf"^## .*`{re.escape(file)}`", document, re.MULTILINE):
                yield f"{DOCUMENT} has no part on `{file}`"


def _reaches_report(out: str, stages: Mapping[str, Any]) -> bool:
    """Tell whether a figure is made from an output, however far; the origin of each is read anyway."""
    waiting, seen = [out], {out}
    while waiting:
        path = waiting.pop()
        if _overlap(path, FIGURES):
            return True
        for entry in stages.values():
            if any(_overlap(path, dep) for dep in entry["deps"] if not is_code(dep)):
                new = set(_paths(entry.get("outs", []))) - seen
                seen |= new
                waiting += new
    return False


def _inputs(sources: Sources, stages: Mapping[str, Any]) -> Iterator[str]:
    """Name each path that dvc.yaml lets a stage depend on and that its module does not name."""
    for name, entry in stages.items():
        module = module_of(name, entry)
        texts = _texts(parse(sources.files[module])) if module in sources.files else []
        for dep in entry["deps"]:
            # A path that the params name, and what every stage depends on, stand in no stage.
            if is_code(dep) or dep == GATE or "${" in dep or not texts:
                continue
            if not any(_overlap(text, dep) for text in texts):
                yield f"{module} has no input {dep}, on which dvc.yaml lets it depend"


@cache
def _texts(tree: ast.Module) -> list[str]:
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return [node.value for node in nodes if isinstance(node.value, str)]


def _overlap(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def _paths(entries: list[Any]) -> list[str]:
    return [entry if isinstance(entry, str) else next(iter(entry)) for entry in entries]


def _plots(graph: Mapping[str, Any]) -> Iterator[str]:
    """Name each file of plots, or folder of them, that no plot of dvc.yaml shows any of."""
    plots = [item for plot in graph.get("plots", []) for item in plot.items()]
    # A plot names its files, or is called as a folder whose files are drawn.
    shown = [
        path for name, about in plots for path in (about["y"] if isinstance(about["y"], dict) else [name])
    ]
    for entry in graph["stages"].values():
        for out in _paths([*entry.get("outs", []), *entry.get("plots", [])]):
            if out.startswith("plots/") and not any(_overlap(path, out) for path in shown):
                yield f"dvc.yaml: plots shows nothing of {out}"


def _sections(root: Path, sources: Sources) -> Iterator[str]:
    """Name each section that has no words or no module that draws it, and words that no section uses."""
    captions = {path.stem for path in (root / CAPTIONS).glob("*.md")}
    begun = {name for module in _members(sources) for name in _begun(parse(sources.files[module]))}
    for name in sorted(begun - captions):
        yield f"{CAPTIONS}/{name}.md, the words of section '{name}', is not there"
    for name in sorted(captions - begun):
        yield f"no render stage begins section '{name}' of {CAPTIONS}/{name}.md"
    for name in sorted(begun | captions):
        if f"pipeline.figures.{name}" not in sources.files:
            yield f"pipeline/figures/{name}.py, which draws section '{name}', is not there"


@cache
def _begun(tree: ast.Module) -> frozenset[str]:
    """Return the sections that a module begins, by calls such as `chapter.section("patches")`."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="section"), args=[ast.Constant(value=str() as name)]):
                found.add(name)
    return frozenset(found)
