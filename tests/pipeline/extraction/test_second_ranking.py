"""Half precision: the candidates of each unit, forwarded again in float32."""

import numpy as np
import pytest

from pipeline import store
from pipeline.errors import UserError
from pipeline.extraction import extraction
from pipeline.extraction.second_ranking import reorder
from pipeline.formats.second_ranking import FILE, read_second_ranking
from tests.end_to_end.artifact_tables import faults, read_document
from tests.end_to_end.project import ROOT
from tests.small.extraction import extract_small, make_manifest, write_images
from tests.small.files import bytes_below

CANDIDATES = 12


@pytest.fixture(scope="module")
def made(inputs, workers):
    """The same images in float32 and in bfloat16, with a second ranking."""
    for name, precision in (("exact", "float32"), ("half", "bfloat16"), ("once_more", "bfloat16")):
        extract_small(
            inputs / "manifest.h5", inputs / "weights", inputs / name, precision=precision,
            candidates=CANDIDATES,
        )  # fmt: skip
    return inputs


def test_candidates_are_ordered_by_value_then_by_image():
    value = np.array([[1, 3, 3, 2]], np.float32)
    image_id = np.array([[4, 9, 5, 7]])
    position = np.arange(8, dtype=np.uint16).reshape(1, 4, 2)
    ranked = reorder(value, image_id, position, np.array([4]))
    assert ranked.image_id.tolist() == [[5, 9, 7, 4]]
    assert ranked.value.tolist() == [[3, 3, 2, 1]]
    assert ranked.position.tolist() == [[[4, 5], [2, 3], [6, 7], [0, 1]]]
    assert ranked.first_rank.tolist() == [[2, 1, 3, 0]]
    assert ranked.overlap(2) == 0.5
    assert ranked.first(2).image_id.tolist() == [[5, 9]]


def test_overlap_leaves_out_units_that_are_never_active():
    value = np.array([[1, 2], [0, 0]], np.float32)
    ids = np.array([[0, 1], [0, 1]])
    ranked = reorder(value, ids, np.zeros((2, 2, 2), np.uint16), np.array([2, 0]))
    assert ranked.overlap(1) == 0.0
    assert np.isnan(reorder(value, ids, np.zeros((2, 2, 2), np.uint16), np.array([0, 0])).overlap(1))


def test_values_and_positions_are_those_of_float32(made):
    """Another composition of batches changes a float32 maximum by rounding alone."""
    exact, ranked = store.open_activations(made / "exact"), read_second_ranking(made / "half").layers
    half = store.open_activations(made / "half")
    assert list(ranked) == exact.layers
    for layer, found in ranked.items():
        assert found.value.shape[1] == CANDIDATES
        units = np.arange(len(found.value))[:, None]
        rows = np.searchsorted(exact.image_id, found.image_id)
        value = exact.read(f"maxima/{layer}/value")[rows, units]
        np.testing.assert_allclose(found.value, value, rtol=1e-4, atol=1e-5)
        position = exact.read(f"maxima/{layer}/position")[rows, units]
        assert np.mean((found.position == position).all(-1)) > 0.97
        assert np.all(np.diff(found.value, axis=1) <= 0)
        # The candidates are the first ranks of the pass in half precision.
        low = half.read(f"maxima/{layer}/value")
        chosen = np.take_along_axis(low, np.searchsorted(half.image_id, found.image_id).T, 0)
        assert np.all(chosen.min(0) >= np.sort(low, axis=0)[-CANDIDATES])
        assert found.count_active.tolist() == (low > 0).sum(0).tolist()


def test_second_ranking_is_nearer_to_float32(made):
    exact, half = (store.open_activations(made / name) for name in ("exact", "half"))
    ranked = read_second_ranking(made / "half").layers
    before = after = 0
    for layer in exact.layers:
        truth = np.argsort(-exact.read(f"maxima/{layer}/value"), axis=0, kind="stable")[:5].T
        first = np.argsort(-half.read(f"maxima/{layer}/value"), axis=0, kind="stable")[:5].T
        second = np.searchsorted(exact.image_id, ranked[layer].image_id[:, :5])
        before += sum(len(set(a) & set(b)) for a, b in zip(truth.tolist(), first.tolist(), strict=True))
        after += sum(len(set(a) & set(b)) for a, b in zip(truth.tolist(), second.tolist(), strict=True))
    assert after > before


def test_two_passes_give_equal_bytes(made):
    assert bytes_below(made / "half") == bytes_below(made / "once_more")


def test_float32_has_no_second_ranking(made):
    assert read_second_ranking(made / "exact") is None


def test_file_is_as_documented(made):
    described = read_document((ROOT / "docs" / "artifacts.md").read_text(encoding="utf-8"))
    assert list(faults(made / "half" / FILE, described[f"activations/{FILE}"])) == []


def test_half_precision_is_refused_a_candidate_that_is_gone(made, tmp_path, monkeypatch):
    write_images(tmp_path / "dataset", 20)
    make_manifest(tmp_path / "dataset", tmp_path / "manifest.h5")
    monkeypatch.setenv("CONVATLAS_SHARDS", str(tmp_path / "pool"))
    monkeypatch.setenv("CONVATLAS_DEVICE", "cpu")
    monkeypatch.setenv("CONVATLAS_WORKERS", "1")
    plan = extraction.plan_second_pass

    def lose_one(*arguments):
        (tmp_path / "dataset" / "1" / "0001.png").unlink()
        return plan(*arguments)

    monkeypatch.setattr(extraction, "plan_second_pass", lose_one)
    with pytest.raises(UserError, match="changed during the run"):
        extract_small(
            tmp_path / "manifest.h5", made / "weights", tmp_path / "activations", precision="bfloat16"
        )
    assert not (tmp_path / "activations").exists()
