"""docs/artifacts.md is held against the files of a run, and the parser against a file made here."""

import re

import h5py
import numpy as np
import pytest

from tests.end_to_end.artifact_tables import faults, pattern, read_document
from tests.end_to_end.project import ROOT

SMALL = """
# Artifacts
## `topk.h5`, version 1: the ranking
| dataset | shape | dtype | unit | range | meaning |
|---|---|---|---|---|---|
| `<layer>/value` | (U, k) | float32 | activation | 0.. | of a rank \\| unit |
| `path` | (N,) | utf-8 | | | of an image |
| `extra` | (N,) | int64 | | | Optional: more |

| attribute | of | type | meaning |
|---|---|---|---|
| `k` | / | int64 | ranks |
| `rf_size` | `<layer>` | int64 (2,) | receptive field |
"""


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "topk.h5"
    with h5py.File(path, "w") as file:
        file.attrs.update({"k": 3, "schema_version": 1, "digest_weights": "0"})
        file["a.relu/value"] = np.zeros((2, 3), np.float32)
        file["b/value"] = np.ones((4, 3), np.float32)
        file["path"] = np.array([b"x", b"y"], h5py.string_dtype("utf-8", 1))
        for layer in ("a.relu", "b"):
            file[layer].attrs["rf_size"] = (3, 3)
    return path


def test_a_file_as_documented_has_no_faults(small):
    assert list(faults(small, read_document(SMALL)["topk.h5"])) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("version 1", "version 2", "version 1, documented 2"),
        (", version 1", "", "version 1, documented None"),
        ("float32", "float64", "dtype float32"),
        ("(U, k)", "(U,)", "shape (2, 3)"),
        ("(U, k)", "(N, k)", "N is"),
        ("(U, k)", "(U, 4)", "shape (2, 3)"),
        ("0..", "0.5..", "0.0 to 0.0"),
        ("`path`", "`paths`", "path: 0 lines"),
        ("Optional: more", "more", "extra: documented and absent"),
        ("| `k`", "| `kk`", "attribute k is not documented"),
        ("Optional: more |", "Optional |\n| `<x>/value` | | | | | |", "2 lines"),
    ],
)
def test_a_difference_is_a_fault(small, old, new, fault):
    document = read_document(SMALL.replace(old, new, 1))
    assert any(fault in found for found in faults(small, document["topk.h5"]))


def test_the_line_with_fewest_placeholders_describes(small):
    wider = SMALL.replace("| `path`", "| `<layer>/<other>` | (1, 1) | int8 | | | anything |\n| `path`")
    assert list(faults(small, read_document(wider)["topk.h5"])) == []


def test_what_was_not_done_holds_its_status_alone(tmp_path):
    document = read_document(SMALL + "| `status` | / | utf-8 | state |\n")["topk.h5"]
    path = tmp_path / "topk.h5"
    with h5py.File(path, "w") as file:
        file.attrs.update({"status": "not run", "schema_version": 1})
    assert list(faults(path, document)) == []
    with h5py.File(path, "a") as file:
        del file.attrs["status"]
    assert "path: documented and absent" in list(faults(path, document))


def test_artifacts_are_as_documented(finished):
    described = read_document((ROOT / "docs" / "artifacts.md").read_text(encoding="utf-8"))
    artifacts = finished.root / "artifacts"
    files = {path.relative_to(artifacts).as_posix(): path for path in sorted(artifacts.rglob("*.h5"))}
    found, seen, undone = [], set(), []
    for name, path in files.items():
        kind = next((kind for kind in described if re.fullmatch(pattern(kind), name)), None)
        assert kind is not None, f"docs/artifacts.md does not describe {name}"
        seen.add(kind)
        found += [f"{name}: {fault}" for fault in faults(path, described[kind])]
        with h5py.File(path) as file:
            if file.attrs.get("status", "done") != "done":
                undone.append(name)
    assert not found, "\n".join(found)
    # Few images, and nothing in inputs/; the tests of these stages hold their files against the document.
    assert undone == ["attributes.h5", "concepts.h5", "humans.h5"]
    # The miniature runs in float32; test_second_ranking.py holds that file against the document.
    assert seen == set(described) - {"activations/second_ranking.h5"}, "described and never made"
