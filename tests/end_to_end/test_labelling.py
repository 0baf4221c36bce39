"""From the report's labelling page to the report's comparison, as a person goes."""

import pytest

from pipeline.formats.humans import read_humans
from tests.end_to_end.project import Project
from tests.pipeline.report.browser import CHROMIUM, browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


def test_what_was_labelled_in_the_report_stands_in_the_next(copy: Project):
    with browser() as page:
        page.open(copy.root / "report/label.html")
        page.evaluate("document.querySelector('[name=annotator]').value = 'anna'")
        page.evaluate("document.querySelector('form.begin button').click()")
        asked = min(20, page.evaluate("label.source.path.length"))
        for step in range(asked):
            page.key("123-"[step % 4])
        text = page.evaluate("document.querySelector('textarea').value")
        assert not page.problems
    (copy.root / "inputs/humans/anna.csv").write_text(text, encoding="utf-8")
    assert copy.must("dvc", "repro").ran == {"check", "humans", "render-people", "report"}
    found = read_humans(copy.root / "artifacts/humans.h5")
    assert found.raters.name == ("anna",) and len(found.answers.rater) == asked
    chapter = (copy.root / "report/chapters/people.html").read_text(encoding="utf-8")
    assert "what each of 1 annotator said" in chapter.replace("\u00a0", " ")
    assert not copy.must("dvc", "repro").ran


def test_answers_that_are_not_understood_end_the_run_before_anything_is_touched(copy: Project):
    before = copy.results()
    (copy.root / "inputs/humans/ben.csv").write_text("path,label\nnowhere.png,cat\n", encoding="utf-8")
    outcome = copy.run("dvc", "repro")
    assert outcome.code != 0 and "ben.csv: line 2: no image 'nowhere.png'" in outcome.text
    assert copy.results() == before
