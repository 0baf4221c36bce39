import json
from dataclasses import replace

import numpy as np
import pytest
import yaml

from pipeline import store
from pipeline.contents.writing import new_chapter
from pipeline.errors import UserError
from pipeline.formats.activations import Index, Skipped, write_index
from pipeline.formats.manifest import Manifest, write_manifest
from pipeline.formats.manifest import Skipped as Unusable
from pipeline.formats.status import not_run
from pipeline.report.provenance import read_images
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

LISTED = Manifest(
    path=["a.png", "gone-later.png", "c.png"], label=np.array([0, 1, -1], np.int32),
    class_names=["0", "1"], split=["train", "test", "train"], size=np.full((3, 2), 8, np.int32),
    sha256=["aa" * 32] * 3, attributes={}, box_image=np.zeros(0, np.int64),
    box=np.zeros((0, 4), np.float32), skipped=[Unusable("bad.png", "truncated", "it ends early")],
    notes=[("a.png", "EXIF data without a tag")],
)  # fmt: skip


@pytest.fixture
def paths(tmp_path):
    """What the stages before leave: one section of the project's own, which was not run."""
    with new_chapter(tmp_path / "artifacts/figures/units") as chapter:
        section = chapter.section("patches")
        section.status = not_run("patches")
    write_manifest(
        LISTED, tmp_path / "artifacts/manifest.h5", dataset="data/<digits>", max_bad_fraction=0.5, params="00"
    )
    with store.write(
        tmp_path / "artifacts/topk.h5", stage="topk", version=7, made_from={"manifest": "ab" * 32},
        versions=("scipy",),
    ):  # fmt: skip
        pass
    write_index(
        tmp_path / "artifacts/activations", Index((), "relu", 3, "float32", 4, "cpu AVX2"),
        [("part-0.h5", np.array([0, 2]))], [Skipped(1, "changed", "its bytes are others")], made_from={},
    )  # fmt: skip
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
        "Of &lt;digits&gt;", "data/&lt;digits&gt;", "bad.png", "truncated", "it ends early", "gone-later.png",
        "changed", "its bytes are others", "1\xa0image taken although", "EXIF data without a tag",
        "builtin:tiny", "predictions.accuracy.test", "0.975", "abababababab", "topk.h5", "k: 9",
        "Labelled images", "Duplicate images",
    ):  # fmt: skip
        assert expected in page, expected
    assert "predictions.accuracy.none" not in page
    content = json.loads((paths["out"] / "tables/provenance.json").read_text())
    assert content["images"]["counts"]["images"] == 3
    assert content["images"]["counts"]["images in split “train”"] == 2
    assert set(content["versions"]) == {"numpy", "scipy", "pillow", "h5py", "deflate"}


def test_splits_that_were_drawn_are_counted_only_where_the_network_was_trained_on_one(paths, tmp_path):
    drawn = tmp_path / "artifacts/manifest.h5"
    write_manifest(replace(LISTED, splits_drawn=1), drawn, dataset="d", max_bad_fraction=0.5, params="00")
    found = [
        read_images(drawn, tmp_path / "artifacts/activations", trained=trained) for trained in (True, False)
    ]
    assert ["images in split “train”" in one.counts for one in found] == [True, False]


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
