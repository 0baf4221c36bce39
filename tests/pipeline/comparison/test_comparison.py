"""Whole comparisons of runs whose artifacts are written here."""

import re
import shutil

import pytest

from pipeline import store
from pipeline.comparison.__main__ import compare_runs, main
from pipeline.comparison.runs import Run
from pipeline.formats.embedding import VERSION
from pipeline.formats.status import Status, mark
from tests.pipeline.report.browser import CHROMIUM, browser
from tests.small.artifacts import write_manifest_of
from tests.small.runs import IMAGES, write_run

SECTIONS = ("settings", "accuracy", "changed", "units", "layers", "maps", "metrics", "files")


@pytest.fixture
def first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_run(tmp_path / "first", wrong=[9, 10])


def compared(*arguments):
    """Compare the runs first and second, and return the page and its sections' texts."""
    assert main(["first", "second", *arguments]) == 0
    with open("compare/index.html", encoding="utf-8") as file:
        page = file.read()
    parts = re.split(r'<section class="chapter" id="(\w+)">', page)
    return page, dict(zip(parts[1::2], parts[2::2], strict=True))


def test_of_equal_runs_nothing_differs(first, tmp_path, capsys):
    shutil.copytree(first, tmp_path / "second")
    page, sections = compared()
    assert tuple(sections) == SECTIONS
    assert "Nothing differs." in page and "nothing differs" in capsys.readouterr().err
    assert "<figure" not in page and "<table" not in page and "<img" not in page
    assert "to the last bit" in sections["accuracy"] and "All parameters are the same" in sections["settings"]
    assert "prediction is the same" in sections["changed"]


def test_of_two_seeds_differences_are_shown_with_intervals(first, tmp_path):
    write_run(tmp_path / "second", wrong=range(10, 25), seed=1, metrics={"dead": 2})
    page, sections = compared()
    assert "Nothing differs." not in page
    assert "model.training.seed" in sections["settings"]
    # Of 32 held-out images the first is wrong on 2, the second on 15: 14 lost, 1 won.
    assert "a difference of −40.62 percentage points" in sections["accuracy"]
    assert "more than noise" in sections["accuracy"] and ">a change<" in sections["accuracy"]
    assert f"Of {IMAGES}\u00a0images" in sections["changed"]
    assert "14 right before and wrong now, 1 wrong before and right now" in " ".join(
        sections["changed"].split()
    )
    assert (
        sections["changed"].count("<img")
        == 15
        == len(list(tmp_path.glob("compare/figures/changed/pictures/*")))
    )
    assert "<b>bird</b>" not in page and "&lt;b&gt;bird" in sections["changed"]
    assert all("<figure" in sections[name] for name in ("accuracy", "units", "layers", "maps"))
    assert "metrics/" in sections["metrics"] and "topk.dead" in sections["metrics"]
    assert "artifacts/topk.h5" in sections["files"]


def test_a_small_difference_is_called_noise(first, tmp_path):
    write_run(tmp_path / "second", wrong=[9, 10, 11], seed=1)
    _, sections = compared()
    assert "may be noise" in sections["accuracy"] and "a change" not in sections["accuracy"]


def test_two_comparisons_of_the_same_runs_are_equal_byte_for_byte(first, tmp_path):
    write_run(tmp_path / "second", wrong=[9, 10, 11], seed=1)
    compared()
    before = {path: path.read_bytes() for path in tmp_path.glob("compare/**/*") if path.is_file()}
    compared()
    assert {path: path.read_bytes() for path in tmp_path.glob("compare/**/*") if path.is_file()} == before


def test_a_section_that_lacks_something_says_so_and_others_stand(first, tmp_path):
    second = write_run(tmp_path / "second", wrong=[9, 11], seed=1)
    (second / "artifacts/topk.h5").unlink()
    (second / "artifacts/thumbnails.h5").unlink()
    _mark_without_map(first)
    _, sections = compared()
    assert "second has no artifacts/topk.h5" in sections["units"]
    assert "one image is no map" in sections["maps"]
    assert "Pictures are not shown" in sections["changed"] and "<img" not in sections["changed"]
    assert "<figure" in sections["layers"] and "<table" in sections["accuracy"]


def test_images_without_labels_are_compared_all_the_same(first, tmp_path):
    for name in ("first", "second"):
        shutil.rmtree(tmp_path / name, ignore_errors=True)
        write_run(tmp_path / name, wrong=[3] if name == "second" else [], labelled=False)
    _, sections = compared()
    assert "No image with the same label" in sections["accuracy"]
    assert "Other changes (1 of 1)" in sections["changed"] and "labelled" not in sections["changed"]


def test_equal_runs_without_a_map_are_equal(first, tmp_path):
    _mark_without_map(first)
    shutil.copytree(first, tmp_path / "second")
    page, sections = compared()
    assert "Nothing differs." in page and "one image is no map" in sections["maps"]


def test_what_could_not_be_had_is_said_in_place_of_nothing_differs(first, tmp_path):
    lacking = Run("v1", first, {"artifacts/topk.h5": "topk.h5 of v1 is not in the cache"})
    assert not compare_runs(lacking, Run("now", first), tmp_path / "compare", seed=0)
    page = (tmp_path / "compare/index.html").read_text(encoding="utf-8")
    assert "topk.h5 of v1 is not in the cache" in page and "Nothing differs." not in page


def test_of_networks_without_a_common_layer_nothing_is_said_to_be_alike(first, tmp_path):
    write_run(tmp_path / "second", wrong=[9], seed=1, layer="another")
    _, sections = compared()
    assert "no unit of the same layer" in sections["units"] and "same 3" not in sections["units"]
    assert "no layer of the same name" in sections["layers"] and "to the last bit" not in sections["layers"]


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")
def test_the_page_loads_nothing_from_elsewhere_and_fits_a_phone(first, tmp_path):
    write_run(tmp_path / "second", wrong=range(10, 25), seed=1)
    compared()
    index = tmp_path / "compare/index.html"
    with browser() as page:
        for width, height in ((1440, 900), (390, 844)):
            page.open(index, width=width, height=height)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        # What is loaded lazily is asked for as well.
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        inside = (tmp_path / "compare").as_uri()
        assert all(url.startswith((inside, "data:", "about:")) for url in page.requests)
        assert page.problems == []
    addresses = re.findall(r'(?:href|src)="(?!data:|#)([^"]+)"', index.read_text(encoding="utf-8"))
    assert addresses and all((index.parent / address.partition("#")[0]).is_file() for address in addresses)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", "first"], "nowhere"),
        (["first", "second", "--out", "first"], "holds something that is no comparison"),
        (["first", "second", "--out", "first/params.yaml"], "holds something that is no comparison"),
        (["first", "second", "--out", "first/params.yaml/out"], "params.yaml/out: cannot be written"),
        (["first", "empty"], "empty has no artifacts/manifest.h5"),
        ([""], "an empty name is no revision"),
    ],
)
def test_a_mistake_ends_in_one_line(first, tmp_path, capsys, arguments, said):
    write_run(tmp_path / "second", seed=1)
    (tmp_path / "empty/artifacts").mkdir(parents=True)
    assert main(arguments) == 1
    told = capsys.readouterr().err
    assert told.startswith("compare: error: ") and said in told and told.count("\n") == 1
    assert not (tmp_path / "compare").exists()


def test_runs_without_a_common_image_are_refused(first, tmp_path, capsys):
    second = write_run(tmp_path / "second")
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "another.png").write_text("another")
    write_manifest_of(second / "artifacts/manifest.h5", pictures, ["another.png"])
    assert main(["first", "second"]) == 1
    assert "no image of equal path and bytes in common" in capsys.readouterr().err


def _mark_without_map(run):
    path = run / "artifacts/embedding.h5"
    path.unlink()
    with store.write(path, stage="embedding", version=VERSION, made_from={}, versions=()) as file:
        mark(file, Status("not applicable", "one image is no map"))
