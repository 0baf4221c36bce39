"""A miniature of this project in a folder of its own: the same code, sixty images, real `dvc` commands."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

from tests.end_to_end.differences import differences
from tests.end_to_end.warm.python import warm_python

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
# What DVC and git make while running; a test that compares runs leaves it out.
RESULTS = ("artifacts", "report", "metrics", "plots")
# Not sources, even where they are tracked.
LEFT_BEHIND = {"dvc.lock", *RESULTS, "data"}
# What decides where and by how many processes a stage runs must not leak in from the machine.
UNSET = ("DASK_SCHEDULER_ADDRESS", "CONVATLAS_CACHE", "CONVATLAS_SHARDS", "GIT_DIR", "GIT_WORK_TREE")
CLASSES, IMAGES_OF_CLASS, PIXELS = 4, 15, 20


@dataclass(frozen=True)
class Outcome:
    """How a command ended: its exit code, the stages that DVC ran, and all that it printed."""

    code: int
    ran: frozenset[str]
    text: str


class Project:
    """A folder with the project in it.

    DVC and its stages are forked from a Python that has imported what they import. Unless the project is
    `cold`: then each starts a Python of its own, as a user's do.
    """

    def __init__(self, root: Path, *, cold: bool = False) -> None:
        self.root, self.is_cold = root, cold

    def cold(self) -> "Project":
        """Return the same folder, run cold."""
        return Project(self.root, cold=True)

    def run(self, *command: str, **environment: str) -> Outcome:
        """Run a command of the environment's bin folder (dvc, python) or of the system (git)."""
        done = subprocess.run(
            command, cwd=self.root, env=self.environment(**environment),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        text = done.stdout + done.stderr
        return Outcome(done.returncode, frozenset(re.findall(r"Running stage '([^']+)'", text)), text)

    def must(self, *command: str, **environment: str) -> Outcome:
        """Run a command that has to succeed."""
        outcome = self.run(*command, **environment)
        assert outcome.code == 0, f"{' '.join(command)}: exit code {outcome.code}\n{outcome.text}"
        return outcome

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of commands: this Python, one worker, nothing shared between projects."""
        kept = {name: value for name, value in os.environ.items() if name not in UNSET}
        folders = [BIN] if self.is_cold else [warm_python().folder.name, BIN]
        site_cache = self.root.with_name(f"{self.root.name}-site-cache")
        return {
            **kept,
            "PATH": os.pathsep.join(map(str, [*folders, kept.get("PATH", os.defpath)])),
            "CONVATLAS_WORKERS": "1",
            "OMP_NUM_THREADS": "1",
            "DVC_NO_ANALYTICS": "1",
            "DVC_SITE_CACHE_DIR": str(site_cache),
            **{f"GIT_{who}_NAME": "Test" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "test@localhost" for who in ("AUTHOR", "COMMITTER")},
            **more,
        }  # fmt: skip

    def params(self) -> dict[str, Any]:
        return yaml.safe_load((self.root / "params.yaml").read_text(encoding="utf-8"))

    def set_params(self, changes: Mapping[str, Any], *, new: bool = False) -> None:
        """Change values of params.yaml, each named by its dotted key, which must exist unless `new`."""
        params = self.params()
        for dotted, value in changes.items():
            *blocks, key = dotted.split(".")
            block = params
            for name in blocks:
                block = block[name]
            assert new or key in block, f"params.yaml has no {dotted}"
            block[key] = value
        (self.root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")

    def copy(self, target: Path) -> "Project":
        """Return a copy of the folder, its DVC cache and history included."""
        shutil.copytree(self.root, target, symlinks=True, ignore=_dvc_locks, copy_function=_copy)
        return Project(target)

    def results(self) -> dict[str, str]:
        """Return the sha256 of every file that the stages made."""
        files = [path for name in RESULTS for path in (self.root / name).rglob("*") if path.is_file()]
        return {
            path.relative_to(self.root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(files)
            if path.name != ".gitignore"
        }

    def must_equal(self, other: "Project") -> None:
        """Assert that two folders hold the same results, and say what differs in them."""
        results, others = self.results(), other.results()
        names = sorted({name for name, _ in results.items() ^ others.items()})
        assert not names, "\n".join(differences(self.root, other.root, names))


def _copy(source: str, target: str) -> None:
    """Link what DVC and git keep by their contents, and never write to; copy all else."""
    if "/.dvc/cache/files/" in source or "/.git/objects/" in source:
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def _dvc_locks(folder: str, _names: list[str]) -> set[str]:
    # Another process may be running DVC in the folder: a lock file is half written then.
    return {"tmp"} if Path(folder).name == ".dvc" else set()


def make_project(root: Path, params: Mapping[str, Any]) -> Project:
    """Copy the sources, write the images and the params, and commit: what a user has before the first run."""
    for name in _sources():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, root / name)
    write_images(root / "pictures")
    project = Project(root)
    project.set_params(params)
    project.must("git", "init", "--quiet")
    project.must("git", "add", "--all")
    project.must("git", "commit", "--quiet", "--message", "The miniature")
    return project


def write_images(folder: Path, *, seed: int = 0) -> None:
    """Write grey images, a bright bar whose angle tells the class, with one duplicate and one broken file."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:PIXELS, :PIXELS] - (PIXELS - 1) / 2
    for label in range(CLASSES):
        (folder / f"class-{label}").mkdir(parents=True)
        angle = np.pi * label / CLASSES
        for number in range(IMAGES_OF_CLASS):
            offset = random.uniform(-3, 3)
            bar = np.exp(-((x * np.sin(angle) - y * np.cos(angle) - offset) ** 2) / 4)
            pixels = 200 * bar + random.uniform(0, 50, bar.shape)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / f"class-{label}" / f"{number:02}.png")
    shutil.copy(folder / "class-0" / "00.png", folder / "class-0" / "copy.png")
    (folder / "class-1" / "broken.jpg").write_text("not an image")


def _sources() -> list[str]:
    """Return the files that git tracks or would track, as paths below the root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    names = [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    return [name for name in names if name.partition("/")[0] not in LEFT_BEHIND]
