"""A chapter's folder: what is written comes back; what is wrong is named."""

import json
import shutil

import pytest

from pipeline.contents.reading import read_section, read_sections
from pipeline.contents.writing import new_chapter
from pipeline.errors import UserError
from tests.pipeline.contents import small_chapter


def _edit(folder, change):
    content = json.loads((folder / "contents.json").read_text())
    change(content)
    (folder / "contents.json").write_text(json.dumps(content))
    return folder


def test_every_kind_of_block_and_part_comes_back(tmp_path):
    made = []
    with new_chapter(tmp_path / "chapter") as chapter:
        for name in ("first", "second"):
            section = chapter.section(name)
            small_chapter.fill(section)
            made.append(section.content())
    read = read_sections(tmp_path)
    assert [item.content for item in read] == made
    assert [item.folder for item in read] == [tmp_path / "chapter" / name for name in ("first", "second")]
    assert {block.kind for block in made[0].blocks} == {
        "text", "notice", "figure", "multiples", "table", "units", "images", "viewer"
    }  # fmt: skip


def test_a_section_without_data_says_why(tmp_path):
    small_chapter.write(tmp_path)
    idle = next(item.content for item in read_sections(tmp_path) if item.content.name == "idle")
    assert (idle.status, idle.reason) == ("not run", "params.yaml says occlusion.run: false")


def test_a_part_may_give_a_number_of_its_own(tmp_path):
    def change(content):
        content["blocks"][1]["numbers"] = content["layers"][0]["numbers"] = {"images": 3, "dataset": "b"}

    content = read_section(_edit(small_chapter.write(tmp_path) / "first", change)).content
    assert content.blocks[1].numbers == content.layers[0].numbers == {"images": 3, "dataset": "b"}


def test_equal_sections_give_equal_bytes(tmp_path):
    first = small_chapter.write(tmp_path / "a") / "first/contents.json"
    assert first.read_bytes() == (small_chapter.write(tmp_path / "b") / "first/contents.json").read_bytes()


def test_a_chapter_takes_the_place_of_the_one_before(tmp_path):
    (tmp_path / "map").mkdir()
    (tmp_path / "map" / "old.png").write_bytes(b"old")
    with new_chapter(tmp_path / "map") as chapter:
        chapter.section("map")
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == [
        "map", "map/map", "map/map/contents.json"
    ]  # fmt: skip


def test_a_failure_leaves_the_chapter_before(tmp_path):
    (tmp_path / "map").mkdir()
    (tmp_path / "map" / "old.png").write_bytes(b"old")
    with pytest.raises(RuntimeError), new_chapter(tmp_path / "map"):
        raise RuntimeError
    assert [item.name for item in tmp_path.iterdir()] == ["map"]
    assert [item.name for item in (tmp_path / "map").iterdir()] == ["old.png"]


def test_a_file_that_was_not_drawn_is_no_chapter(tmp_path):
    with pytest.raises(AssertionError, match=r"one\.png"), new_chapter(tmp_path / "map") as chapter:
        section = chapter.section("map")
        small_chapter.fill(section)
        (section.folder / "one.png").unlink()
    assert not list(tmp_path.iterdir())


def test_what_a_killed_stage_left_is_passed_over(tmp_path):
    shutil.copytree(small_chapter.write(tmp_path), tmp_path / ".chapter.tmp")
    (tmp_path / "unfinished").mkdir()
    assert [item.content.name for item in read_sections(tmp_path)] == ["first", "idle", "second"]


def test_no_section_is_an_error(tmp_path):
    with pytest.raises(UserError, match="run the render stages"):
        read_sections(tmp_path)


def test_two_chapters_cannot_hold_one_section(tmp_path):
    shutil.copytree(small_chapter.write(tmp_path), tmp_path / "former")
    with pytest.raises(UserError, match="section 'first' is taken by .*chapter/first"):
        read_sections(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.update(novel=1), "novel"),
        (lambda content: content.update(status="not run"), "a reason goes with every state"),
        (lambda content: content.update(reason="because"), "a reason goes with every state"),
        (lambda content: content["blocks"][1].update(image="../../secret.png"), "inside the section"),
        (lambda content: content["blocks"][1].update(image="/etc/passwd"), "inside the section"),
        (lambda content: content["blocks"][1].update(image="gone.png"), "'gone.png', which is not there"),
        (lambda content: content["blocks"][1].update(id='x"><script>'), r"blocks\.1\.figure\.id"),
        (lambda content: content["blocks"][1].update(kind="poem"), r"blocks\.1"),
        (lambda content: content["blocks"].append(content["blocks"][1]), "id 'one' is given twice"),
        (lambda content: content["blocks"][1].update(id="probe"), "id 'probe' is given twice"),
        (lambda content: content["blocks"][2]["rows"][0].pop(), "table 'classes' row 0: 4 columns, but 3"),
        (lambda content: content["blocks"][5]["layers"].append("x"), "'units' shows a layer"),
        (lambda content: content["blocks"][6]["images"].append(5), "'images' shows an image"),
        (lambda content: content["layers"][1].update(layer="features.1"), "layer 'features.1' is given"),
        (lambda content: content["layers"][0]["units"][1].update(unit=0), "must ascend"),
        (lambda content: content["layers"][0]["units"][0]["rows"][0].pop(), "features.1 unit 0: 5 columns"),
        (lambda content: content["layers"][0]["units"][0]["facts"].pop(), "features.1 unit 0: 2 columns"),
        (lambda content: content["layers"][0]["units"][0]["strips"][0].update(y=3), "leaves the sheet"),
        (lambda content: content["layers"][0]["units"][0]["strips"][0].update(sheet=1), "sheet 1 of 1"),
        (lambda content: content["layers"][0]["sheets"][0].update(file="gone.webp"), "gone.webp"),
        (lambda content: content["layers"][0].pop("unit_scenes"), "unit 0: has scenes, of which nothing"),
        (lambda content: content["layers"][0].pop("unit_histogram"), "unit 0: has a histogram, of which"),
        (lambda content: content["layers"][0].pop("unit_related"), "2 groups of other units, of 0"),
        (lambda content: content["whole_images"][0].update(height=3), "whole image 4: leaves the sheets"),
        (lambda content: content["whole_images"][0].update(sheet=1), "whole image 4: leaves the sheets"),
        (lambda content: content["whole_images"].append(content["whole_images"][0]), "image '4' is given"),
        (lambda content: content["whole_images"].pop(), "shows a whole image that is not there"),
        (lambda content: content["sheets"][0].update(file="gone.webp"), "gone.webp"),
        (lambda content: content["blocks"][1].update(numbers={"images": "x"}), "number 'images' is 10 in"),
        (lambda content: content["blocks"][4]["figures"][1].update(numbers={"dataset": 2}), "'dataset' is"),
        (lambda content: content["layers"][0].update(numbers={"share": "x"}), "number 'share' is"),
        (lambda content: content.update(name="other"), "names itself 'other'"),
    ],
)  # fmt: skip
def test_a_fault_is_named(tmp_path, change, message):
    folder = _edit(small_chapter.write(tmp_path) / "first", change)
    with pytest.raises(UserError, match=message) as caught:
        read_section(folder)
    assert "contents.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_broken_json_is_named(tmp_path):
    folder = small_chapter.write(tmp_path) / "first"
    (folder / "contents.json").write_text('{"name": ')
    with pytest.raises(UserError, match=r"contents\.json"):
        read_section(folder)
