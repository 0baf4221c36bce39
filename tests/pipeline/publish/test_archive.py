import os
import zipfile

from pipeline.publish.archive import write_archive
from pipeline.publish.content import read_content


def test_zip_holds_every_file_and_the_revision(report, tmp_path):
    write_archive(read_content(report, "<abc>"), tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.namelist() == ["report/figures/a.png", "report/index.html", "report/revision.txt"]
        assert archive.read("report/figures/a.png") == b"picture"
        assert archive.read("report/revision.txt") == b"<abc>\n"
        page = archive.read("report/index.html").decode()
    assert "&lt;abc&gt;" in page and "<!-- revision -->" not in page
    assert "<!-- revision -->" in (report / "index.html").read_text(encoding="utf-8")


def test_zip_is_equal_whatever_the_times_of_the_files(report, tmp_path):
    write_archive(read_content(report, "abc"), tmp_path / "one.zip")
    os.utime(report / "figures" / "a.png", (1_000_000_000, 1_000_000_000))
    write_archive(read_content(report, "abc"), tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
