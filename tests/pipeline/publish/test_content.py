import pytest

from pipeline.errors import UserError
from pipeline.publish.content import read_content


def test_content_is_the_report_stamped_and_a_file_that_names_the_revision(report):
    content = read_content(report, "abc")
    files = dict(content.files())
    assert list(files) == ["figures/a.png", "index.html", "revision.txt"]
    assert files["revision.txt"] == b"abc\n"
    assert content.bytes() == sum(len(path.read_bytes()) for path in report.rglob("*.*"))


def test_folder_without_report_is_refused(report):
    (report / "index.html").write_text("<p>another page</p>")
    for folder in (report, report / "figures", report / "nothing"):
        with pytest.raises(UserError, match="not a report"):
            read_content(folder, "abc")
