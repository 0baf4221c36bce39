"""What a corrected caption costs: the seconds until a project's report says it, and what else changes.

The project is the folder that the report lies in, and all of it is up to date. A sentence is added to a
section's text, ``dvc repro`` runs, and then the caption and the report are put back as they were.
"""

import hashlib
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.maps import Line
from pipeline.report.addresses import chapter_page
from pipeline.report.captions import read_caption
from stages.command import TIMES
from stages.times import read_times

SECTION = "summary"
CAPTIONS = Path("pipeline/report/captions")
SENTENCE = "\n\nThis sentence corrects another.\n"
SECONDS = 15
# A caption is among the files that `check` answers for.
STAGES = {"check", "report"}
DVC = [sys.executable, "-m", "dvc"]


def corrected(report: Path) -> Iterator[Line]:
    """Correct a caption, run what that makes stale, and say how long it took and what it changed.

    Parameters
    ----------
    report
        The folder of a report in its project.

    Raises
    ------
    SystemExit
        The folder above is no project, or not all of it is up to date.
    """
    project = report.parent
    if subprocess.run([*DVC, "status", "--quiet"], cwd=project, check=False).returncode:
        raise SystemExit(f"{project}: not a project that is up to date; run 'dvc repro' there first")
    file = project / CAPTIONS / f"{SECTION}.md"
    text, before = file.read_bytes(), _digests(report)
    try:
        file.write_text(_with_sentence(text.decode()), encoding="utf-8")
        start = time.time()
        said = _reproduce(project)
        seconds = time.time() - start
        ran = [one for one in read_times(project / TIMES) if one.began >= start]
        after = _digests(report)
    finally:
        file.write_bytes(text)
        _reproduce(project)
    own = {"index.html", chapter_page(read_caption(SECTION, file.parent).chapter)}
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    stages = set(re.findall(r"^Running stage '([^']+)'", said, re.MULTILINE))
    yield Line("a corrected caption: check and report, seconds", SECONDS, sum(one.seconds for one in ran))
    yield Line("a corrected caption: these and DVC, seconds", SECONDS, seconds)
    yield Line("a corrected caption: stages besides check, report", 0, len(stages - STAGES))
    yield Line("a corrected caption: files besides its page, index", 0, len(changed - own))


def _with_sentence(text: str) -> str:
    """Add a sentence to what the section itself says, before its parts."""
    own, heading, parts = text.partition("\n## ")
    return own.rstrip("\n") + SENTENCE + heading + parts


def _reproduce(project: Path) -> str:
    done = subprocess.run([*DVC, "repro"], cwd=project, capture_output=True, text=True, check=True)
    return done.stdout


def _digests(report: Path) -> dict[str, str]:
    """Return the digest of each file of a report."""
    return {
        file.relative_to(report).as_posix(): hashlib.blake2b(file.read_bytes()).hexdigest()
        for file in report.rglob("*")
        if file.is_file()
    }
