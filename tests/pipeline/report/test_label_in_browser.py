"""The labelling page in a browser: a person labels, goes back, comes back, and takes the answers along."""

import base64
import csv
import io

import numpy as np
import pytest
from PIL import Image

from pipeline.analyses.humans.naming import Names
from pipeline.analyses.humans.reading import read_answers
from pipeline.contents.reading import read_sections
from pipeline.contents.writing import new_chapter
from pipeline.figures.labelling import Labelling, add_labelling
from pipeline.report.site import Texts, write_report
from tests.pipeline.report import fakes
from tests.pipeline.report.browser import CHROMIUM

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
    pytest.mark.xdist_group("browser"),
]
IMAGES = 20
CLASSES = ("ant", "=bee, \"wild\"", "<b>cat</b>")
PATHS = [f"test/{CLASSES[row % 3]}/{row}.png" for row in range(IMAGES)]
# The picture of an image is a grey of its own, so that a test knows which one is shown.
SHADES = 10 * np.arange(IMAGES + 3) + 20


def write(folder, classes=CLASSES):
    pictures = [np.full((8, 8, 3), shade, np.uint8) for shade in SHADES[:IMAGES]]
    tiles = np.full((3, 8, 8, 4), 255, np.uint8)
    examples = [[row % 3] for row in range(len(classes))]
    with new_chapter(folder / "figures/people") as chapter:
        found = Labelling(PATHS, pictures, tiles, classes, classes, examples)
        add_labelling(chapter.section("labelling"), found)
    write_report(folder / "report", read_sections(folder / "figures"), fakes.provenance(), Texts("Small"))
    return folder / "report"


@pytest.fixture(scope="module")
def labelling(tmp_path_factory):
    return write(tmp_path_factory.mktemp("labelling"))


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    return write(tmp_path_factory.mktemp("many"), [f"kind {number:03}" for number in range(300)])


def begin(page, name):
    page.wait("!document.querySelector('form.begin').hidden")
    page.evaluate(f"document.querySelector('[name=annotator]').value = {name!r}")
    page.evaluate("document.querySelector('form.begin button').click()")
    page.wait("label.sheets.every(sheet => sheet.complete)")


def shown(page):
    """The image that is shown, by what the page was told to draw."""
    return page.evaluate("label.answers.next")


def count(page):
    return page.evaluate("document.querySelector('.count').textContent")


def rows(page):
    return list(csv.DictReader(io.StringIO(page.evaluate("document.querySelector('textarea').value"))))


def test_twenty_images_by_keys_with_undo_and_a_reload_in_between(page, labelling, tmp_path):
    page.open(labelling / "label.html")
    begin(page, "anna")
    assert count(page) == "0 of 20"
    said = {}
    keys = ["1", "2", "3", "-"]
    for step in range(9):
        said[shown(page)] = keys[step % 4]
        page.key(keys[step % 4])
    page.key("3")
    assert count(page) == "10 of 20"
    page.key("Backspace")
    assert count(page) == "9 of 20"
    page.open(labelling / "label.html")
    assert page.evaluate("document.querySelector('[name=annotator]').value") == "anna"
    begin(page, "anna")
    assert count(page) == "9 of 20"
    for step in range(9, IMAGES):
        said[shown(page)] = keys[step % 4]
        page.key(keys[step % 4])
    assert count(page) == "20 of 20"
    assert page.evaluate("!document.querySelector('.done').hidden && document.querySelector('.picture').hidden")
    page.key("1")
    assert count(page) == "20 of 20"
    page.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.evaluate("document.querySelector('[data-do=save]').click()")
    file = tmp_path / "anna.csv"
    for _ in range(200):
        if file.is_file() and file.stat().st_size:
            break
        page.evaluate("new Promise(done => setTimeout(done, 20))")
    # The file is made in the page itself.
    page.requests[:] = [address for address in page.requests if not address.startswith("blob:")]
    assert file.read_text() == page.evaluate("document.querySelector('textarea').value")
    given = read_answers([file], Names(sorted(PATHS), CLASSES), strict=True)
    names = dict(zip(keys, (*CLASSES, ""), strict=True))
    assert {one.path: one.guesses[0] for one in given.answers} == {
        PATHS[image]: names[key] for image, key in said.items()
    }
    assert {one.annotator for one in given.answers} == {"anna"}


def test_what_is_shown_is_the_image_that_is_asked_about(page, labelling):
    page.open(labelling / "label.html")
    begin(page, "ben")
    page.wait("document.querySelector('.picture').complete")
    page.evaluate("document.querySelector('.picture').decode()")
    # A page from disk may not read its pixels back: what was drawn is seen from the outside.
    box = page.evaluate(
        "(box => [box.x + box.width / 2, box.y + box.height / 2])"
        "(document.querySelector('.picture').getBoundingClientRect())"
    )
    data = page.call("Page.captureScreenshot", format="png")["data"]
    picture = Image.open(io.BytesIO(base64.b64decode(data))).convert("L")
    assert abs(picture.getpixel(tuple(map(int, box))) - SHADES[shown(page)]) <= 2


def test_two_people_see_different_orders_and_no_answers_of_each_other(page, labelling):
    page.open(labelling / "label.html")
    begin(page, "cleo")
    page.key("1")
    first = page.evaluate("label.answers.order.join()")
    page.open(labelling / "label.html")
    begin(page, "dora")
    assert count(page) == "0 of 20"
    assert page.evaluate("label.answers.order.join()") != first
    assert sorted(page.evaluate("label.answers.order")) == list(range(IMAGES))


def test_neither_paths_nor_labels_are_shown(page, labelling):
    page.open(labelling / "label.html")
    begin(page, "eve")
    assert ".png" not in page.evaluate("document.querySelector('.task').innerText")
    assert page.evaluate("document.querySelectorAll('.choices li').length") == 3
    assert page.evaluate("document.querySelector('.choices').textContent").count("<b>cat</b>") == 1


def test_answers_are_forgotten_at_the_second_press(page, labelling):
    page.open(labelling / "label.html")
    begin(page, "finn")
    page.key("2")
    page.evaluate("document.querySelector('[data-do=forget]').click()")
    assert count(page) == "1 of 20"
    page.evaluate("document.querySelector('[data-do=forget]').click()")
    assert (count(page), rows(page)) == ("0 of 20", [])


def test_many_classes_are_searched(page, many):
    page.open(many / "label.html")
    begin(page, "gus")
    assert page.evaluate("document.activeElement.name") == "class"
    for letter in "299":
        page.key(letter)
    assert page.evaluate("document.querySelectorAll('.choices li').length") == 1
    page.call("Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter")
    assert [row["label"] for row in rows(page)] == ["kind 299"]
    page.key("-")
    assert [row["label"] for row in rows(page)] == ["kind 299", "none"]
    page.key("Backspace")
    assert len(rows(page)) == 1


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_is_wider_than_the_window(page, labelling, width):
    page.open(labelling / "label.html", width=width)
    begin(page, "hal")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    sides = page.evaluate(
        "[...document.querySelectorAll('main.label button')].filter(one => one.offsetParent)"
        ".map(one => Math.min(one.offsetWidth, one.offsetHeight))"
    )
    assert min(sides) >= 24


def test_the_chapter_leads_to_the_page(labelling):
    text = (labelling / "chapters/people.html").read_text()
    assert 'href="../label.html"' in text
    assert 'href="label.html"' not in (labelling / "index.html").read_text()
