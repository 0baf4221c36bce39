"""What a shard's key feels."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.extraction.recipe import CORE
from tests.dependencies import ROOT, Sources
from tests.small.extraction import make_manifest, make_weights, write_images

SOURCES = Sources(ROOT)
# What `extraction.shard` imports besides the core, and why it decides nothing in a shard's bytes.
WITHOUT_EFFECT = {
    "dataset.dataset": "brings bytes whose digests are checked",
    "dataset.names": "names of files",
    "dataset.originals": "checks digests, hands bytes to the decoder",
    "dataset.tars": "where bytes lie, whose digests are checked",
    "errors": "ends a run",
    "extraction.recipe": "the key itself",
    "formats.manifest": "hands on rows whose digests are in the key",
    "formats.weights": "hands on the preprocessing, whose digest is in the key",
    "images.guarded": "decodes as `decode` does, elsewhere",
    "images.jpeg": "what is noted of a file when it is listed",
    "layers.choosing": "words of an error",
    "layers.bounds": "which layers are bounded is in the key",
    "layers.layers": "which layers there are: their names are in the key",
    "model.network": "loads the network whose digest is in the key, or refuses",
    "model.tensors": "reads tensors whose digest is in the key",
    "numerics.geometry": "geometry is in the index, not in shards",
    "parallel.source": "the key itself",
    "parallel.threads": "the same results in the same order",
    "params": "checks of values whose digests are in the key",
    "receptive_field.places": "words of an error",
    "receptive_field.calls": "which layers there are: their names are in the key",
    "receptive_field.fields": "geometry is in the index, not in shards",
    "receptive_field.geometry": "geometry is in the index, not in shards",
    "receptive_field.nodes": "which layers there are: their names are in the key",
    "receptive_field.operations": "geometry is in the index, not in shards",
    "receptive_field.tokens": "geometry is in the index, not in shards",
    "receptive_field.windows": "geometry is in the index, not in shards",
    "shards.cutting": "which images make a shard: their digests are in the key",
    "store.activations": "reads",
    "store.cells": "tables of names",
    "store.reading": "reads",
    "store.replacing": "where a file lies until it is whole",
    "store.tables": "tables of names",
}
KEYS = """
import os, sys
from pathlib import Path
from tests.small.extraction import extract_small, plan
manifest, weights, out = map(Path, sys.argv[1:])
if __name__ == "__main__":
    print(*(shard.key for shard in plan(manifest, weights).shards))
    extract_small(manifest, weights, out)
"""


def test_the_core_and_what_decides_nothing_are_all_that_a_shard_takes():
    found = {
        name.removeprefix("pipeline.")
        for name in SOURCES.closure("pipeline.extraction.shard")
        if SOURCES.files[name].name != "__init__.py"
    }
    assert sorted(found) == sorted([*CORE, *WITHOUT_EFFECT])
    assert len(set(CORE)) == len(CORE)


class Copy:
    """The project's modules in a folder of their own, to be edited, with a small dataset."""

    def __init__(self, root: Path):
        self.root = root
        for name in ("pipeline", "tests/small"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, root / name, ignore=ignored)
        write_images(root / "dataset", 24)
        make_manifest(root / "dataset", root / "manifest.h5")
        make_weights(root / "weights", root)

    def extract(self) -> tuple[set[str], dict[str, int]]:
        """Return the keys of a plan made by these modules, and the inodes of the pool after an extraction."""
        environment = {name: value for name, value in os.environ.items() if name != "DASK_SCHEDULER_ADDRESS"}
        environment |= {"CONVATLAS_WORKERS": "1", "CONVATLAS_SHARDS": str(self.root / "pool")}
        environment |= {"CONVATLAS_DEVICE": "cpu", "PYTHONPATH": str(self.root), "PYTHONSAFEPATH": "1"}
        arguments = [self.root / name for name in ("manifest.h5", "weights", "out")]
        (self.root / "run.py").write_text(KEYS)
        done = subprocess.run(
            [sys.executable, self.root / "run.py", *arguments], cwd=self.root, env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        keys = set(done.stdout.split())
        return keys, {path.name: path.stat().st_ino for path in (self.root / "pool").iterdir()}

    def append(self, module: str, text: str) -> None:
        """Put text below a module's own."""
        path = self.root / "pipeline" / f"{module.replace('.', '/')}.py"
        path.write_text(path.read_text() + text)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return Copy(tmp_path_factory.mktemp("copy"))


def test_comments_leave_every_shard_and_a_line_of_the_core_gives_other_keys(copy):
    keys, pool = copy.extract()
    assert len(keys) == len(pool) > 1
    for path in (copy.root / "pipeline").rglob("*.py"):
        path.write_text(f"# A remark.\n{path.read_text()}\n# Another one.\n")
    assert copy.extract() == (keys, pool), "the same shards, none written again"
    copy.append("images.network_input", "\nRESAMPLING = dict(RESAMPLING)\n")
    others, larger = copy.extract()
    assert not keys & others
    assert len(larger) == 2 * len(pool)
    assert pool.items() <= larger.items()
