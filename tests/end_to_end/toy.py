"""A toy analysis, quiet, written into a copy of the project: its files, and its entries in others.

The files stand in the folder `quiet`, at their places in the project. Nothing else is touched.
"""

import shutil
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "quiet"
FILES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.*") if path.suffix != ".pyc")


class Entry(NamedTuple):
    """Lines that go into a file before others of it; "" is its end."""

    file: str
    before: str
    lines: str


ENTRIES = {
    "stage": Entry(
        "dvc.yaml", "\n  # Pictures, a stage a chapter.\n", """\
  quiet:
    desc: How often each unit stays quiet
    cmd: exec python -m stages.quiet
    params:
    - quiet
    deps:
    - artifacts/activations
    - artifacts/check
    outs:
    - artifacts/quiet.h5
""",
    ),
    "input of the render stage": Entry(
        "dvc.yaml",
        "    - artifacts/similar_units.h5\n    - artifacts/topk.h5\n    - artifacts/units.h5\n    - pipeline",
        "    - artifacts/quiet.h5\n",
    ),
    "dep of the report": Entry(
        "dvc.yaml",
        "    - artifacts/topk.h5\n    - artifacts/training_dynamics.h5\n    - artifacts/units.h5\n",
        "    - artifacts/quiet.h5\n",
    ),
    "block": Entry(
        "params.yaml", "", """
# Stage quiet: how often units stay quiet.
quiet:
  run: true   # false: left out
  level: 0.0  # largest activation of a quiet unit; 0 or more
""",
    ),
    "part of the document": Entry("docs/artifacts.md", "\n## Figures, numbers, plots\n", """
## `quiet.h5`, version 1

| attribute | of | meaning |
|---|---|---|
| status | / | done, not run, not applicable |
| status_reason | / | why, where it is not done |
| layers | / | the extracted layers |
| level | / | largest activation of a quiet unit |

| dataset | shape | dtype | unit | range | meaning |
|---|---|---|---|---|---|
| <layer>/share | (U) | float64 | | 0..1 | share of the images on which the unit stays quiet |
"""),
    "line of the table of reruns": Entry(
        "tests/end_to_end/test_reruns.py",
        '    "render_summary.examples": ', '    "quiet.level": (0.5, {"quiet", "render-patches"}),\n',
    ),
    "import of the figure": Entry(
        "stages/render_patches.py", "from pipeline.parallel", """\
from pipeline.figures.quiet import add_quiet
from pipeline.formats.quiet import read_quiet
""",
    ),
    "section": Entry(
        "stages/render_patches.py", "\n\ndef _names(",
        '        add_quiet(chapter.section("quiet"), read_quiet(paths["quiet"]))\n',
    ),
    "input of the render module": Entry(
        "stages/render_patches.py", '"patches": "artifacts/patches.h5"', '"quiet": "artifacts/quiet.h5", '
    ),
}  # fmt: skip


def add(root: Path, *, without: str = "") -> None:
    """Write the analysis into a project; `without` names a file or an entry that its author forgot."""
    for name in FILES:
        if name != without:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(FOLDER / name, root / name)
    for name, entry in ENTRIES.items():
        if name != without:
            text = (root / entry.file).read_text(encoding="utf-8")
            assert entry.before in text, f"{entry.file} lacks {entry.before!r}"
            place = text.index(entry.before) if entry.before else len(text)
            (root / entry.file).write_text(text[:place] + entry.lines + text[place:], encoding="utf-8")
