from pipeline.contents.reading import read_section
from pipeline.formats.humans import VERSION, write_humans
from pipeline.formats.status import not_run, write_status
from stages import render_people
from tests.small.artifacts import write_manifest, write_names
from tests.small.humans import LABEL, humans


def paths(tmp_path):
    write_manifest(tmp_path / "manifest.h5", LABEL, ["a", "b", "c"])
    write_names(tmp_path / "names.h5", ["a", "b", "c"])
    return {
        "humans": tmp_path / "humans.h5", "names": tmp_path / "names.h5",
        "manifest": tmp_path / "manifest.h5", "out": tmp_path / "people",
    }  # fmt: skip


def test_images_have_their_names(tmp_path):
    write_humans(tmp_path / "humans.h5", humans(), made_from={})
    render_people.run(render_people.Params(listed=3), paths(tmp_path))
    content = read_section(tmp_path / "people/humans").content
    assert [part.path for part in content.images[:2]] == ["class/00000.png", "class/00001.png"]


def test_what_was_not_run_has_its_section(tmp_path):
    write_status(tmp_path / "humans.h5", not_run("humans"), stage="humans", version=VERSION)
    render_people.run(render_people.Params(listed=3), paths(tmp_path))
    assert read_section(tmp_path / "people/humans").content.status == "not run"
