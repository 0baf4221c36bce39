import pytest

from tests.pictures import main, pages
from tests.pipeline.report.browser import CHROMIUM


@pytest.fixture
def report(tmp_path):
    folder = tmp_path / "report"
    folder.mkdir()
    links = "".join(f'<a href="units/a/{unit}.html#top">{unit}</a>' for unit in (3, 5, 8))
    (folder / "index.html").write_text(f"<title>a report</title>{links}")
    (folder / "map.html").write_text("<title>a map</title>")
    return folder


def test_pictures_are_of_the_first_screen_a_unit_that_it_shows_and_the_map(report):
    found = pages(report)
    assert list(found) == ["first-screen", "unit", "map"]
    assert found["unit"] == "units/a/5.html"
    (report / "map.html").unlink()
    assert list(pages(report)) == ["first-screen", "unit"]


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")
def test_a_folder_without_a_report_is_refused_in_one_line(tmp_path, capsys):
    assert main(["--report", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    told = capsys.readouterr().err
    assert "no report in it" in told and told.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")
def test_pictures_are_taken(report, tmp_path):
    (report / "units/a").mkdir(parents=True)
    (report / "units/a/5.html").write_text("<title>a unit</title>")
    assert main(["--report", str(report), "--out", str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "first-screen.webp", "map.webp", "unit.webp",
    ]  # fmt: skip
