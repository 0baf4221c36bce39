"""The rules of the house: who may import whom, what a file may hold."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stages.command import execute
from tests.completeness import forgotten
from tests.dataset_names import dataset_names
from tests.dependencies import (
    BLOCKS,
    LOADS_EVERY_BLOCK,
    PACKAGES,
    ROOT,
    SHARED,
    Sources,
    is_block,
    parse,
    run_nodes,
)

# The rooms of pipeline/, folders and single modules, from the ground up: a module imports from its own room
# and from those before it in the list. The folders of analyses/ do not know each other.
ROOMS = (
    "errors", "params", "presets", "progress", "revisions", "store", "parallel", "numerics", "images",
    "formats", "compare", "dataset", "manifest", "listing", "model", "receptive_field", "layers", "weights",
    "shards", "topk", "extraction", "analyses", "contents", "figures", "report", "publish", "comparison",
)  # fmt: skip
# Rooms that are lists, one an artifact, a section: they may be longer.
LISTS = {"formats", "figures"}
LARGEST_ROOM = 15  # modules
MOST_UNNAMED = 5  # modules; the docstring of a room with more names each
# The stages that run a network, or see images as one does; no other may pay for the import of torch.
NETWORK_STAGES = {
    "stages.check", "stages.weights", "stages.extract", "stages.outlines", "stages.probes",
    "stages.activation_maps", "stages.gradients", "stages.filters", "stages.directions", "stages.concepts",
    "stages.training_dynamics", "stages.inversion", "stages.fooling",
    "stages.projections", "stages.occlusion", "stages.class_models", "stages.scorecard",
    "stages.correspondence",
}  # fmt: skip
# Each is one thing wherever it is read.
WORDS = {"Section", "Layer", "Dataset", "Part", "Recipe", "Manifest", "Preprocessing", "ReceptiveField"}
# Names that say what numbers an array has; in every module the same.
ARRAYS = {
    "Floats": "floating",
    "Float32": "float32",
    "Float64": "float64",
    "UInt8": "uint8",
    "Bools": "bool_",
}
LONGEST_FILE = 350  # lines
LARGEST_FILE = 1_000_000  # bytes
LARGEST_DATA = 1_000_000  # bytes, all data files of the repository together
DATA_SUFFIXES = {
    ".png",
    ".jpg",
    ".jpeg",
    ".webp",
    ".gif",
    ".csv",
    ".npy",
    ".npz",
    ".h5",
    ".safetensors",
    ".pt",
    ".pth",
}

SOURCES = Sources(ROOT)
MODULES = sorted(SOURCES.files)
LIBRARY = [name for name in MODULES if name.startswith("pipeline.")]
DOORS = [name for name in LIBRARY if SOURCES.files[name].name == "__init__.py"]
BENCHMARKS = [path.relative_to(ROOT).as_posix() for path in sorted(ROOT.glob("benchmarks/*.py"))]
FILES = [path.relative_to(ROOT).as_posix() for path in SOURCES.files.values()]


def room(module: str) -> int:
    """Return the place of a module's room in the list."""
    name = module.split(".")[1]
    assert name in ROOMS, (
        f"{module}: tests/test_house.py lists no room '{name}'; put it where its imports end"
    )
    return ROOMS.index(name)


def tracked_files() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("module", LIBRARY)
def test_library_imports_only_from_its_room_and_those_before_it(module):
    for other in SOURCES.imports(module) - {"pipeline", module}:
        assert not other.startswith("stages"), f"{module} imports {other}"
        assert room(other) <= room(module), f"{module} imports {other}, a room that comes after its own"


@pytest.mark.parametrize("module", [name for name in LIBRARY if name.startswith("pipeline.analyses.")])
def test_analyses_do_not_import_each_other(module):
    own = module.split(".")[2]
    others = {name for name in SOURCES.imports(module) if name.startswith("pipeline.analyses.")}
    assert {name.split(".")[2] for name in others} <= {own}, f"{module} imports another analysis"


def test_no_room_is_crowded():
    folders: dict[Path, int] = {}
    for name in LIBRARY:
        path = SOURCES.files[name]
        if path.name != "__init__.py" and name.split(".")[1] not in LISTS:
            folders[path.parent] = folders.get(path.parent, 0) + 1
    assert not {folder: count for folder, count in folders.items() if count > LARGEST_ROOM}


@pytest.mark.parametrize("door", DOORS)
def test_door_names_each_module(door):
    """The docstring of a room is its table of contents."""
    folder, text = SOURCES.files[door].parent, ast.get_docstring(_tree(door)) or ""
    modules = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("__")}
    modules |= {path.parent.name for path in folder.glob("*/__init__.py")}
    is_large = len(modules) > MOST_UNNAMED and door.removeprefix("pipeline.") not in LISTS | {"analyses"}
    if is_large or "\n- `" in text:
        assert not modules - set(re.findall(r"`(\w+)`", text))


@pytest.mark.parametrize("module", SOURCES.stage_modules())
def test_stages_never_import_stages(module):
    """But their own block's schema: of two blocks, one would be another stage's."""
    others = {name for name in SOURCES.imports(module) if name.startswith("stages.")} - SHARED
    own = {BLOCKS, f"{BLOCKS}.{importlib.import_module(module).STAGE.block}"}
    assert others <= (own if module != LOADS_EVERY_BLOCK else {BLOCKS}), f"{module} imports {sorted(others)}"


@pytest.mark.parametrize("module", SOURCES.block_modules())
def test_blocks_import_no_stage(module):
    others = {name for name in SOURCES.imports(module) if name.startswith("stages.") and not is_block(name)}
    assert not others, f"{module} imports {sorted(others)}"


def test_check_waits_for_nothing_that_draws_or_embeds():
    """It runs before every run; torch and torchvision, for the network, are all that it may wait for.

    Of the report it needs what reads the words, and none of the pages.
    """
    needed = SOURCES.closure(LOADS_EVERY_BLOCK)
    rooms = {name.split(".")[1] for name in needed if "." in name}
    assert not rooms & {"extraction", "figures", "contents", "shards"}
    words = {"captions", "escaping", "numbers", "wording"}
    assert {name for name in needed if name.startswith("pipeline.report.")} == {
        f"pipeline.report.{one}" for one in words
    }
    program = (
        "import sys; import stages.check; stages.check.all_blocks(); print(sorted({name.partition('.')[0] "
        "for name in sys.modules} & {'sklearn', 'scipy', 'openTSNE', 'matplotlib', 'dask', 'distributed'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_sections_never_draw_with_each_other():
    sections = {name.removeprefix("stages.render_") for name in MODULES if name.startswith("stages.render_")}
    for section in sections:
        others = {f"pipeline.figures.{other}" for other in sections - {section}}
        assert not SOURCES.closure(f"stages.render_{section}") & others


def test_imports_have_no_cycle():
    done: set[str] = set()
    path: list[str] = []

    def visit(module: str) -> None:
        assert module not in path, f"cycle: {' -> '.join([*path[path.index(module) :], module])}"
        if module not in done:
            path.append(module)
            # A package's own __init__.py is loaded before its modules; what it imports of them is no cycle.
            for other in SOURCES.imports(module) - {module}:
                if not module.startswith(f"{other}."):
                    visit(other)
            path.pop()
            done.add(module)

    for module in MODULES:
        visit(module)


@pytest.mark.parametrize("module", [name for name in LIBRARY if name.split(".")[1] in {"figures", "report"}])
def test_figures_and_report_load_no_network(module):
    closure = SOURCES.closure(module)
    assert "pipeline.model.network" not in closure
    assert not [name for name in closure if SOURCES.libraries(name) & {"torch", "torchvision"}]


@pytest.mark.parametrize("module", MODULES)
def test_only_store_opens_hdf5(module):
    assert module.startswith("pipeline.store.") or not SOURCES.libraries(module) & {"h5py", "tables"}


@pytest.mark.parametrize("file", sorted([*FILES, *BENCHMARKS]))
def test_only_formats_name_datasets(file):
    if not file.startswith(("pipeline/store/", "pipeline/formats/")):
        assert not list(dataset_names(ast.parse((ROOT / file).read_text(encoding="utf-8"))))


@pytest.mark.parametrize("module", LIBRARY)
def test_only_revisions_asks_dvc(module):
    if not module.startswith("pipeline.revisions"):
        words = [n.value for n in ast.walk(_tree(module)) if isinstance(n, ast.Constant)]
        assert "dvc" not in SOURCES.libraries(module) and "dvc" not in words


@pytest.mark.parametrize("module", MODULES)
def test_only_image_calls_a_decoder(module):
    """People's images may be anything; what the project drew itself is opened where it is drawn smaller."""
    if module in {"pipeline.images.decoding", "pipeline.report.first.pictures"}:
        return
    assert not SOURCES.libraries(module) & {"cv2", "imageio", "skimage"}
    assert not SOURCES.named(module) & {"torchvision.io", "PIL.Image.open", "matplotlib.image"}
    calls = [ast.unparse(n.func) for n in run_nodes(_tree(module)) if isinstance(n, ast.Call)]
    assert not [call for call in calls if re.search(r"\bImage\.open$|\bimread$", call)]


@pytest.mark.parametrize("module", MODULES)
def test_imports_stand_at_the_top(module):
    """An import inside a function hides a dependency until it runs."""
    inner = [
        ast.unparse(node)
        for function in ast.walk(_tree(module))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, (ast.Import, ast.ImportFrom)) and _is_own(node)
    ]
    assert not inner


def test_what_tests_share_is_no_test():
    """It lies in tests/small, or beside them in a module that pytest does not collect."""
    found = {
        f"{path.relative_to(ROOT)}: {node.module}"
        for path in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(parse(path))
        if isinstance(node, ast.ImportFrom)
        and re.search(r"^tests\..*\b(test_\w+|conftest)$", node.module or "")
    }
    assert not found


def test_stages_without_network_start_without_torch():
    modules = [name for name in SOURCES.stage_modules() if name not in NETWORK_STAGES]
    program = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    importlib.import_module(name)\n"
        "    if 'torch' in sys.modules: raise SystemExit(f'{name} imports torch')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *modules], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", SOURCES.stage_modules())
def test_stage_has_help(module, capsys):
    loaded = importlib.import_module(module)
    with pytest.raises(SystemExit) as end:
        execute(loaded.STAGE, loaded.__doc__, ["--help"])
    assert end.value.code == 0
    assert loaded.__doc__.splitlines()[0].split()[0] in capsys.readouterr().out


@pytest.mark.parametrize("file", FILES)
def test_file_is_short(file):
    assert len((ROOT / file).read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("module", MODULES)
def test_public_functions_tell_of_their_user_errors(module):
    """Ruff sees to it that there is a docstring; this, that it names what a user may do wrong."""
    classes = [node for node in _tree(module).body if isinstance(node, ast.ClassDef)]
    for node in [*_tree(module).body, *(method for found in classes for method in found.body)]:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and _raises_user_error(node):
            text = ast.get_docstring(node) or ""
            assert re.search(r"Raises|UserError|[Rr]efuse", text), (
                f"{module}.{node.name}: docstring lacks Raises"
            )


@pytest.mark.parametrize("module", MODULES)
def test_docstrings_name_every_parameter_or_none(module):
    """Of `Parameters` a reader takes it that they are all; one that was taken out stays there unseen."""
    for node in ast.walk(_tree(module)):
        text = ast.get_docstring(node) or "" if isinstance(node, ast.FunctionDef) else ""
        section = re.search(r"^Parameters\n-+\n(.*?)(?=\n\n\w+\n-+\n|\Z)", text, re.DOTALL | re.MULTILINE)
        if section:
            lines = re.findall(r"^(\*?\w[^\n:]*)", section[1], re.MULTILINE)
            named = [name.strip(" *") for line in lines for name in line.split(",")]
            assert sorted(named) == sorted(_parameters(node)), f"{module}.{node.name}"


@pytest.mark.parametrize("module", MODULES)
def test_an_array_s_type_has_one_name(module):
    found = dict(re.findall(r"^(\w+)\b.* = (?:npt\.)?NDArray\[np\.(\w+)\]$", _text(module), re.MULTILINE))
    assert {name: kind for name, kind in found.items() if ARRAYS.get(name, kind) != kind} == {}


def test_nothing_of_an_analysis_is_forgotten():
    assert not forgotten(ROOT)


def test_each_decision_has_a_number_of_its_own_and_bears_it():
    records = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
    numbers = [int(path.name[:4]) for path in records]
    assert numbers == list(range(1, len(records) + 1))
    for number, path in zip(numbers, records, strict=True):
        assert path.read_text(encoding="utf-8").startswith(f"# {number}. "), path.name


def test_a_word_of_the_house_is_one_class():
    found: dict[str, list[str]] = {name: [] for name in WORDS}
    for module in MODULES:
        for node in _tree(module).body:
            if isinstance(node, ast.ClassDef) and node.name in WORDS:
                found[node.name].append(module)
    assert {name: modules for name, modules in found.items() if len(modules) != 1} == {}


def test_no_file_is_called_utils():
    assert not [file for file in FILES if re.search(r"\b(utils?|helpers?|common|misc)\.py$", file)]


def test_tracked_files_name_no_machine_and_no_index():
    machine = re.compile(r"(?<![\w.~/-])/(?:home|root|Users|work|opt|mnt)/\w")
    index = re.compile(r"(?:index-url|find-links|registry) *[= ] *[a-z]+://")
    for path in tracked_files():
        text = path.read_bytes()
        if b"\0" in text[:8000]:
            continue
        for number, line in enumerate(text.decode("utf-8", "replace").splitlines(), start=1):
            found = machine.search(line) or index.search(line)
            assert not found, f"{path.relative_to(ROOT)}:{number}: {line.strip()}"


def test_data_in_the_repository_stay_small():
    sizes = {path: path.stat().st_size for path in tracked_files()}
    assert not [path for path, size in sizes.items() if size > LARGEST_FILE]
    data = [size for path, size in sizes.items() if path.suffix.lower() in DATA_SUFFIXES]
    assert sum(data) < LARGEST_DATA


def _text(module: str) -> str:
    return SOURCES.files[module].read_text(encoding="utf-8")


def _tree(module: str) -> ast.Module:
    return parse(SOURCES.files[module])


def _is_own(node: ast.Import | ast.ImportFrom) -> bool:
    names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    relative = isinstance(node, ast.ImportFrom) and node.level > 0
    return relative or any(name.partition(".")[0] in PACKAGES for name in names)


def _parameters(function: ast.FunctionDef) -> list[str]:
    given = function.args
    every = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
    return [one.arg for one in every if one is not None and one.arg not in ("self", "cls")]


def _raises_user_error(function: ast.FunctionDef) -> bool:
    raised = [node.exc for node in ast.walk(function) if isinstance(node, ast.Raise) and node.exc is not None]
    return any("UserError" in ast.unparse(exception) for exception in raised)
