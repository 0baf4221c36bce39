"""The labelling page in a browser: a person labels, goes back, comes back, and takes the answers along."""

import base64
import csv
import io

import numpy as np
import pytest
from PIL import Image

from pipeline.analyses.humans.choices import read_choices, sort_files
from pipeline.analyses.humans.naming import Names
from pipeline.analyses.humans.reading import read_answers
from pipeline.contents.reading import read_sections
from pipeline.contents.writing import new_chapter
from pipeline.figures.labelling import Labelling, add_labelling
from pipeline.figures.trials import Asked
from pipeline.report.site import Texts, write_report
from tests.pipeline.report import fakes
from tests.pipeline.report.browser import CHROMIUM

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
IMAGES = 20
CLASSES = ("ant", '=bee, "wild"', "<b>cat</b>")
PATHS = [f"test/{CLASSES[row % 3]}/{row}.png" for row in range(IMAGES)]
# The picture of an image is a grey of its own, so that a test knows which one is shown.
SHADES = 10 * np.arange(IMAGES + 3) + 20

# The brighter of two patches excites the unit more; which side that is alternates.
NETWORK = "00ff00ff00ff00ff"
STRONG_LEFT = np.arange(10) % 2 == 0


def asked(unit):
    pair = [np.full((8, 8, 3), shade, np.uint8) for shade in (200, 60)]
    sides = (pair, (f"test/ant/{2 * unit}.png", f"test/ant/{2 * unit + 1}.png"))
    pair, path = sides if STRONG_LEFT[unit] else (side[::-1] for side in sides)
    return Asked("conv1", unit, path, [np.full((8, 8, 3), 250, np.uint8)] * 9, pair)


TRIALS = [asked(unit) for unit in range(10)]


def write(folder, classes=CLASSES):
    pictures = [np.full((8, 8, 3), shade, np.uint8) for shade in SHADES[:IMAGES]]
    tiles = np.full((3, 8, 8, 4), 255, np.uint8)
    examples = [[row % 3] for row in range(len(classes))]
    with new_chapter(folder / "figures/people") as chapter:
        found = Labelling(PATHS, pictures, tiles, classes, classes, examples, None)
        add_labelling(chapter.section("labelling"), found, TRIALS, NETWORK)
    write_report(folder / "report", read_sections(folder / "figures"), fakes.provenance(), Texts("Small"))
    return folder / "report"


@pytest.fixture(scope="module")
def labelling(tmp_path_factory):
    return write(tmp_path_factory.mktemp("labelling"))


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    return write(tmp_path_factory.mktemp("many"), [f"kind {number:03}" for number in range(300)])


def begin(page, name, task="images"):
    page.wait("!document.querySelector('form.begin').hidden")
    page.evaluate(f"document.querySelector('[name=annotator]').value = {name!r}")
    page.evaluate(f"document.querySelector('form.begin button[value={task}]').click()")
    page.wait("[...label.tasks.values()].flatMap(task => task.sheets || []).every(sheet => sheet.complete)")


def shown(page):
    """The image that is shown, by what the page was told to draw."""
    return page.evaluate("label.answers.next")


def count(page):
    return page.evaluate("document.querySelector('.count').textContent")


def rows(page):
    return list(csv.DictReader(io.StringIO(page.evaluate("document.querySelector('textarea').value"))))


def shade(page, selector):
    """The grey in the middle of an element: a page from disk may not read its pixels back."""
    page.evaluate(f"document.querySelector('{selector}').scrollIntoView({{block: 'center'}})")
    box = page.evaluate(
        "(box => [box.x + box.width / 2, box.y + box.height / 2])"
        f"(document.querySelector('{selector}').getBoundingClientRect())"
    )
    data = page.call("Page.captureScreenshot", format="png")["data"]
    picture = Image.open(io.BytesIO(base64.b64decode(data))).convert("L")
    return picture.getpixel(tuple(map(int, box)))


def saved(page, file):
    """Download the answers under this name."""
    page.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(file.parent))
    page.evaluate("document.querySelector('[data-do=save]').click()")
    for _ in range(200):
        if file.is_file() and file.stat().st_size:
            break
        page.evaluate("new Promise(done => setTimeout(done, 20))")
    # The file is made in the page itself.
    page.requests[:] = [address for address in page.requests if not address.startswith("blob:")]
    assert file.read_text() == page.evaluate("document.querySelector('textarea').value")
    return file


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
    assert page.evaluate(
        "!document.querySelector('.done').hidden && document.querySelector('.picture').hidden"
    )
    page.key("1")
    assert count(page) == "20 of 20"
    file = saved(page, tmp_path / "anna.csv")
    given = read_answers([file], Names(sorted(PATHS), CLASSES), strict=True)
    names = dict(zip(keys, (*CLASSES, ""), strict=True))
    assert {one.path: one.guesses[0] for one in given.answers} == {
        PATHS[image]: names[key] for image, key in said.items()
    }
    assert {one.annotator for one in given.answers} == {"anna"}


def test_ten_trials_by_keys_with_undo_and_a_reload_in_between(page, labelling, tmp_path):
    page.open(labelling / "label.html")
    begin(page, "anna", "units")
    said, keys = {}, ["1", "2", "ArrowLeft", "ArrowRight", "-"]
    for step in range(5):
        said[shown(page)] = keys[step]
        page.key(keys[step])
    page.key("2")
    assert count(page) == "6 of 10"
    page.key("Backspace")
    page.open(labelling / "label.html")
    begin(page, "anna", "units")
    assert count(page) == "5 of 10"
    for step in range(5, 10):
        said[shown(page)] = keys[step % 5]
        page.key(keys[step % 5])
    assert count(page) == "10 of 10"
    assert page.evaluate("!document.querySelector('.done').hidden && document.querySelector('.trial').hidden")
    file = saved(page, tmp_path / "anna-units.csv")
    answers, chosen = sort_files([file])
    assert not answers
    found = read_choices(chosen, Names(None, None), strict=True).choices
    sides = {"1": 0, "ArrowLeft": 0, "2": 1, "ArrowRight": 1, "-": -1}
    assert {one.unit: one.more for one in found} == {trial: sides[key] for trial, key in said.items()}
    assert {(one.annotator, one.layer, one.network) for one in found} == {("anna", "conv1", NETWORK)}
    assert {one.unit: (one.left, one.right) for one in found} == {one.unit: one.path for one in TRIALS}
    # Answers to the other task are kept apart.
    page.open(labelling / "label.html")
    begin(page, "anna-of-images")
    assert count(page) == "0 of 20"


def test_two_images_are_shown_on_the_sides_that_are_written_down(page, labelling):
    page.open(labelling / "label.html")
    begin(page, "ivy", "units")
    for _ in range(3):
        page.evaluate("Promise.all([...document.querySelectorAll('.trial img')].map(one => one.decode()))")
        nine, left, right = (
            shade(page, f".trial {name}") for name in (".nine", "li:nth-child(1) img", "li:nth-child(2) img")
        )
        strong_left = STRONG_LEFT[shown(page)]
        assert (abs(left - (200 if strong_left else 60)), abs(right - (60 if strong_left else 200))) <= (2, 2)
        assert abs(nine - 250) <= 2
        page.evaluate("document.querySelector('[data-do=left]').click()")
    assert count(page) == "3 of 10"
    # Neither the names of files nor what is said of the pictures gives it away.
    told = page.evaluate("document.querySelector('.task').outerHTML")
    assert "conv1" not in told and "test/ant" not in told


def test_what_is_shown_is_the_image_that_is_asked_about(page, labelling):
    page.open(labelling / "label.html")
    begin(page, "ben")
    page.wait("document.querySelector('.picture').complete")
    page.evaluate("document.querySelector('.picture').decode()")
    assert abs(shade(page, ".picture") - SHADES[shown(page)]) <= 2


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


@pytest.mark.parametrize("task", ["images", "units"])
@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_is_wider_than_the_window(page, labelling, width, task):
    page.open(labelling / "label.html", width=width)
    begin(page, "hal", task)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    sides = page.evaluate(
        "[...document.querySelectorAll('main.label button')].filter(one => one.offsetParent)"
        ".map(one => Math.min(one.offsetWidth, one.offsetHeight))"
    )
    assert min(sides) >= 24


@pytest.mark.parametrize("width", [390, 1440])
def test_a_long_class_stays_on_its_button(page, labelling, width):
    page.open(labelling / "label.html", width=width)
    begin(page, f"long {width}")
    page.evaluate("document.querySelector('.choices bdi').textContent = 'W'.repeat(200)")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    button = page.evaluate("(b => b.scrollWidth - b.clientWidth)(document.querySelector('.choices button'))")
    assert button <= 0


def test_the_chapter_leads_to_the_page(labelling):
    text = (labelling / "chapters/people.html").read_text()
    assert 'href="../label.html"' in text
    assert 'href="label.html"' not in (labelling / "index.html").read_text()
