import pytest

from pipeline.errors import UserError
from pipeline.publish.content import read_content
from pipeline.publish.folder import write_folder


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_second_publication_of_the_same_report_touches_nothing(report, tmp_path):
    out = tmp_path / "site"
    assert write_folder(read_content(report, "abc"), out)
    assert names(out) == ["figures/a.png", "index.html", "revision.txt"]
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert not write_folder(read_content(report, "abc"), out)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_what_the_report_no_longer_holds_is_removed(report, tmp_path):
    out = tmp_path / "site"
    write_folder(read_content(report, "abc"), out)
    (report / "figures" / "a.png").unlink()
    (report / "b.png").write_bytes(b"another")
    assert write_folder(read_content(report, "abc"), out)
    assert names(out) == ["b.png", "index.html", "revision.txt"]
    assert not (out / "figures").exists()


def test_another_revision_changes_its_two_files(report, tmp_path):
    out = tmp_path / "site"
    write_folder(read_content(report, "abc"), out)
    picture = (out / "figures/a.png").stat().st_mtime_ns
    assert write_folder(read_content(report, "def"), out)
    assert (out / "revision.txt").read_text() == "def\n" and "def" in (out / "index.html").read_text()
    assert (out / "figures/a.png").stat().st_mtime_ns == picture


def test_a_repository_and_settings_of_a_server_in_the_folder_stay(report, tmp_path):
    out = tmp_path / "site"
    write_folder(read_content(report, "abc"), out)
    (out / ".git/refs/heads").mkdir(parents=True)
    for name in (".git/HEAD", ".htaccess", "CNAME"):
        (out / name).write_text("theirs")
    assert not write_folder(read_content(report, "abc"), out)
    assert write_folder(read_content(report, "def"), out)
    assert (out / ".git/refs/heads").is_dir()
    assert {".git/HEAD", ".htaccess", "CNAME"} < set(names(out))


def test_folder_with_other_files_is_refused_and_kept(report, tmp_path):
    out = tmp_path / "photographs"
    out.mkdir()
    (out / "mine.jpg").write_bytes(b"mine")
    with pytest.raises(UserError, match="no published report"):
        write_folder(read_content(report, "abc"), out)
    assert names(out) == ["mine.jpg"]


def test_folder_within_the_report_or_around_it_is_refused(report):
    for out in (report, report / "figures", report.parent):
        with pytest.raises(UserError, match="within the report"):
            write_folder(read_content(report, "abc"), out)
    assert names(report) == ["figures/a.png", "index.html"]
