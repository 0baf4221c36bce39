"""From the report's labelling page to the report's comparison, as a person goes."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.formats.humans import read_people
from pipeline.store import open_activations
from tests.end_to_end.project import Project
from tests.pipeline.report.browser import CHROMIUM, Page, browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


def answer(page: Page, task: str, keys: str, file: Path) -> int:
    """Answer up to twenty questions of a task as anna, and write the CSV; return how many."""
    page.evaluate("document.querySelector('[name=annotator]').value = 'anna'")
    page.evaluate(f"document.querySelector('form.begin button[value={task}]').click()")
    asked = min(20, page.evaluate("label.answers.order.length"))
    for step in range(asked):
        page.key(keys[step % len(keys)])
    file.write_text(page.evaluate("document.querySelector('textarea').value"), encoding="utf-8")
    return asked


def text_of(project: Project) -> str:
    chapter = (project.root / "report/chapters/people.html").read_text(encoding="utf-8")
    return chapter.replace("\u00a0", " ")


def test_what_was_labelled_in_the_report_stands_in_the_next(copy: Project):
    with browser() as page:
        page.open(copy.root / "report/label.html")
        asked = answer(page, "images", "123-", copy.root / "inputs/humans/anna.csv")
        page.open(copy.root / "report/label.html")
        judged = answer(page, "units", "12-", copy.root / "inputs/humans/anna-units.csv")
        assert not page.problems
    assert copy.must("dvc", "repro").ran == {"check", "humans", "render-people", "report"}
    people = read_people(copy.root / "artifacts/humans.h5")
    found, choices = people.humans, people.choices
    assert choices.annotators == ("anna",) and len(choices.more) == judged > 3
    # What stands in the file is what the pass over the images found.
    activations = open_activations(copy.root / "artifacts/activations")
    for row in range(judged):
        image, layer = choices.image_id[row], choices.layers[choices.layer[row]]
        value = activations.read(f"maxima/{layer}/value")[np.searchsorted(activations.image_id, image)]
        assert value[:, choices.unit[row]].tolist() == choices.value[row].tolist()
    assert "1 annotator gave" in text_of(copy)
    assert found.raters.name == ("anna",) and len(found.answers.rater) == asked
    assert "what each of 1 annotator said" in text_of(copy)
    assert not copy.must("dvc", "repro").ran


def test_answers_that_are_not_understood_end_the_run_before_anything_is_touched(copy: Project):
    before = copy.results()
    (copy.root / "inputs/humans/ben.csv").write_text("path,label\nnowhere.png,cat\n", encoding="utf-8")
    outcome = copy.run("dvc", "repro")
    assert outcome.code != 0 and "ben.csv: line 2: no image 'nowhere.png'" in outcome.text
    assert copy.results() == before
