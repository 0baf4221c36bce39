import json

import numpy as np
import pytest
import yaml

from pipeline import store
from pipeline.contents.writing import new_chapter
from pipeline.errors import UserError
from pipeline.formats.status import not_run
from stages import report

DESCRIPTION = {
    "architecture": "builtin:tiny", "weights": "train", "classes": ["0", "1"], "digest": "ef" * 32,
    "preprocessing": {
        "input_size": [8, 8], "resize": None, "crop": "none", "interpolation": "bilinear",
        "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5],
    },
    "training": {"epochs": 2},
}  # fmt: skip
PARAMS = report.Params(title="Of <digits>", skipped_shown=5)


@pytest.fixture
def paths(tmp_path):
    """What the stages before leave: one section of the project's own, which was not run."""
    with new_chapter(tmp_path / "artifacts/figures/units") as chapter:
        section = chapter.section("patches")
        section.status = not_run("patches")
    with store.write(tmp_path / "artifacts/manifest.h5", stage="manifest", versions=("numpy",)) as manifest:
        manifest.set_attributes("", {"dataset": "data/<digits>", "duplicates": 2})
        manifest.put("label", np.array([0, 1, -1], np.int32))
        manifest.put_strings("path", ["a.png", "gone-later.png", "c.png"])
        manifest.put_strings("class_names", ["0", "1"])
        manifest.put_strings("split", ["train", "test", "train"])
        manifest.put_strings("skipped/path", ["bad.png"])
        manifest.put_strings("skipped/reason", ["truncated"])
    made_from = {"manifest": "ab" * 32}
    with store.write(tmp_path / "artifacts/topk.h5", stage="topk", made_from=made_from, versions=("scipy",)):
        pass
    with store.write(tmp_path / "artifacts/activations/index.h5", stage="extract") as index:
        index.put("skipped/image_id", np.array([1]))
        index.put_strings("skipped/reason", ["changed"])
    (tmp_path / "artifacts/weights").mkdir()
    (tmp_path / "artifacts/weights/model.json").write_text(json.dumps(DESCRIPTION))
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics/predictions.json").write_text('{"accuracy": {"test": 0.975, "none": null}}')
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"topk": {"k": 9}, "report": {"title": "x"}}))
    named = {name: tmp_path / default for name, default in report.STAGE.inputs.items()}
    return named | {"out": tmp_path / "report"}


def test_report_shows_what_the_artifacts_say(paths):
    report.run(PARAMS, paths)
    page = (paths["out"] / "chapters/about.html").read_text()
    for expected in (
        "Of &lt;digits&gt;", "data/&lt;digits&gt;", "bad.png", "truncated", "gone-later.png", "changed",
        "builtin:tiny", "predictions.accuracy.test", "0.975", "abababababab", "topk.h5", "k: 9",
        "Labelled images", "Duplicate images",
    ):  # fmt: skip
        assert expected in page, expected
    assert "predictions.accuracy.none" not in page
    content = json.loads((paths["out"] / "tables/provenance.json").read_text())
    assert content["images"]["counts"]["images"] == 3
    assert content["images"]["counts"]["images in split “train”"] == 2
    assert set(content["versions"]) == {"numpy", "scipy", "h5py", "isal"}


def test_comments_of_the_params_file_change_nothing(paths):
    report.run(PARAMS, paths)
    before = (paths["out"] / "chapters/about.html").read_bytes()
    with paths["settings"].open("a") as file:
        file.write("# a remark\n")
    report.run(PARAMS, paths)
    assert (paths["out"] / "chapters/about.html").read_bytes() == before


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("artifacts/manifest.h5", r"manifest\.h5: no such file"),
        ("artifacts/weights/model.json", r"model\.json"),
        ("params.yaml", r"params\.yaml"),
        ("artifacts/figures/units/patches/contents.json", "no section"),
    ],
)
def test_missing_input_is_named_and_the_earlier_report_stays(paths, tmp_path, missing, message):
    report.run(PARAMS, paths)
    (tmp_path / missing).unlink()
    with pytest.raises(UserError, match=message):
        report.run(PARAMS, paths)
    assert (paths["out"] / "index.html").is_file()


def test_damaged_metrics_are_named(paths):
    (paths["metrics"] / "embedding.json").write_text("{")
    with pytest.raises(UserError, match=r"embedding\.json: not valid JSON"):
        report.run(PARAMS, paths)
