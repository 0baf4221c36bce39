"""The box that is drawn on the map, the map on a phone, and links to a map whose dataset has changed."""

import base64
import csv
import io
from urllib.parse import quote

import pytest

from tests.pipeline.report import fakes
from tests.pipeline.report.browser import CHROMIUM, at

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
VIEW = "document.querySelector('canvas.map').view"
SAID = "document.querySelector('.boxed [role=status]').textContent"
SHIFT = 8


def _inside(page, layout="map"):
    """The images whose middle lies in the box, counted from what the page says of each."""
    xs, ys = page.evaluate(f"[[...{VIEW}.data.layouts.{layout}.x], [...{VIEW}.data.layouts.{layout}.y]]")
    x0, y0, x1, y1 = page.evaluate(f"{VIEW}.box")
    (left, right), (top, bottom) = sorted((x0, x1)), sorted((y0, y1))
    return [
        i for i, (x, y) in enumerate(zip(xs, ys, strict=True)) if left <= x <= right and top <= y <= bottom
    ]


def _said(images, points):
    wrong = sum(points["label"][i] != points["predicted"][i] for i in images)
    return f"{len(images)} images in the box, {len(images) - wrong} right, {wrong} wrong"


def _drag(page, modifiers=0):
    left, top = page.evaluate(f"(b => [b.left, b.top])({VIEW}.canvas.getBoundingClientRect())")
    page.mouse("mousePressed", left + 200, top + 200, button="left", clickCount=1, modifiers=modifiers)
    page.mouse("mouseMoved", left + 500, top + 330, button="left", buttons=1, modifiers=modifiers)
    page.mouse("mouseReleased", left + 500, top + 330, button="left", clickCount=1, modifiers=modifiers)


def test_shift_and_the_mouse_draw_a_box_whose_images_are_counted_and_listed(page, report):
    page.open(report / "map.html")
    place = page.evaluate(f"[{VIEW}.x, {VIEW}.y]")
    _drag(page, SHIFT)
    assert page.evaluate(f"[{VIEW}.x, {VIEW}.y]") == place
    corner, opposite = page.evaluate(f"[{VIEW}.toWorld(200, 200), {VIEW}.toWorld(500, 330)]")
    assert page.evaluate(f"{VIEW}.box") == pytest.approx([*corner, *opposite])
    images, points = _inside(page), fakes.map_points(fakes.POINTS)
    assert 0 < len(images) < fakes.POINTS
    assert page.evaluate(SAID) == _said(images, points)
    counts = page.evaluate("[...document.querySelectorAll('.kinds .count')].map(one => +one.textContent)")
    of = sorted((sum(points["label"][i] == k for i in images) for k in range(10)), reverse=True)
    assert counts == [count for count in of[:6] if count]
    page.wait("document.querySelectorAll('.boxed ol a').length > 0")
    links = page.evaluate(
        "[...document.querySelectorAll('.boxed ol a')].map(one => one.getAttribute('href'))"
    )
    assert links == [f"image.html#path={_quoted(points['path'][i])}" for i in images[:40]]


def _quoted(path):
    """As `encodeURIComponent` has it, but for the slash."""
    return quote(path, safe="/!'()*")


def test_a_box_is_in_the_address_and_back_takes_it_away(page, report):
    page.open(report / "map.html")
    _drag(page, SHIFT)
    said, address = page.evaluate(SAID), page.evaluate("location.href")
    assert "#box=" in address
    page.evaluate("history.back()")
    page.wait("document.querySelector('.boxed').hidden")
    page.open(address)
    assert page.evaluate(SAID) == said
    page.evaluate("window.earlier = true; location.reload()")
    page.wait("!window.earlier && !!document.querySelector('canvas.map')?.view?.box")
    assert page.evaluate(SAID) == said


def test_shift_and_the_arrows_draw_a_box_from_the_middle(page, report):
    page.open(report / "map.html")
    page.evaluate("document.querySelector('canvas.map').focus()")
    steps = page.evaluate("history.length")
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "ArrowUp", "ArrowUp"):
        page.call("Input.dispatchKeyEvent", type="keyDown", key=key, modifiers=SHIFT)
    box, side = page.evaluate(f"[{VIEW}.box, 0.06 * Math.min({VIEW}.width, {VIEW}.height) / {VIEW}.scale]")
    assert box == pytest.approx([0.5, 0.5, 0.5 + 2 * side, 0.5 - 3 * side])
    assert page.evaluate(SAID).startswith(f"{len(_inside(page))} image")
    assert page.evaluate("history.length") == steps + 1
    page.key("Escape")
    assert page.evaluate(f"[{VIEW}.box, document.querySelector('.boxed').hidden]") == [None, True]


def test_a_finger_draws_a_box_once_the_button_is_pressed(page, report):
    page.open(report / "map.html")
    page.evaluate("document.querySelector('[data-do=box]').click()")
    _drag(page)
    assert page.evaluate(f"!!{VIEW}.box")
    # The next movement is the map's again.
    assert page.evaluate("document.querySelector('[data-do=box]').ariaPressed") == "false"
    _drag(page)
    assert page.evaluate(f"{VIEW}.x") != 0.5


def test_a_box_follows_the_filter_and_falls_with_the_arrangement(page, report):
    page.open(at(report, "map.html#layout=grid&box=0,0,0.5,1"))
    images, points = _inside(page, "grid"), fakes.map_points(fakes.POINTS)
    assert len(images) == fakes.POINTS // 2
    assert page.evaluate(SAID) == _said(images, points)
    page.evaluate("document.querySelector('[name=wrong]').click()")
    wrong = [i for i in images if points["label"][i] != points["predicted"][i]]
    assert page.evaluate(SAID) == _said(wrong, points)
    page.evaluate("document.querySelector('[name=layout][value=map]').click()")
    assert page.evaluate(f"{VIEW}.box") is None


def test_the_images_of_a_box_go_out_as_csv(page, report):
    page.open(at(report, "map.html#box=0,0,0.4,1"))
    images, points = _inside(page), fakes.map_points(fakes.POINTS)
    page.evaluate("""(() => {
        const made = URL.createObjectURL;
        URL.createObjectURL = (blob) => {
            const reader = new FileReader();
            reader.onload = () => (window.saved = reader.result);
            reader.readAsDataURL(blob);
            return made(blob);
        };
        HTMLAnchorElement.prototype.click = function () { window.named = this.download; };
    })()""")
    page.evaluate("document.querySelector('[data-do=csv]').click()")
    page.wait("!!window.saved")
    assert page.evaluate("window.named") == "images.csv"
    text = base64.b64decode(page.evaluate("window.saved").partition(",")[2]).decode()
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["image_id", "path", "label", "predicted"]
    assert [int(row[0]) for row in rows[1:]] == [3 * i for i in images]
    for row, i in zip(rows[1:], images, strict=True):
        names = (points["path"][i], points["classes"][points["label"][i]])
        # What a spreadsheet would run has an apostrophe before it.
        assert tuple(cell.removeprefix("'") if cell[1:2] == "=" else cell for cell in row[1:3]) == names
        assert row[1][0] not in "=+-@"


def test_on_a_phone_the_tools_are_one_line_and_the_panel_is_a_sheet(page, report):
    page.open(report / "map.html", width=390, height=844)
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    tools, stage, panel = page.evaluate(
        "['.tools', '.stage', '.panel'].map(one => (b => [b.top, b.bottom])("
        "document.querySelector(one).getBoundingClientRect()))"
    )
    assert tools[1] - tools[0] < 60 and stage == [tools[1], 844] and panel[1] == 844
    assert panel[1] - panel[0] < 0.36 * 844
    page.evaluate("document.querySelector('.grip').click()")
    assert page.evaluate("document.querySelector('.grip').ariaExpanded") == "true"
    assert page.evaluate("document.querySelectorAll('.legend li')[3].getClientRects().length") == 1
    low = page.evaluate("""[...document.querySelectorAll('.map-page :is(button, select, input)')]
        .filter(one => one.getClientRects().length && !['radio', 'checkbox'].includes(one.type))
        .filter(one => one.getBoundingClientRect().height < 24).map(one => one.outerHTML)""")
    assert low == []


@pytest.mark.parametrize(
    "state",
    [
        "class=gone", "without=gone", "colour=attribute:gone", "path=gone.png", "v=1,2", "box=a,b",
        "layout=round&wrong=2",
    ],
)  # fmt: skip
def test_a_link_to_what_the_dataset_has_no_more_shows_the_map(page, report, state):
    page.open(at(report, f"map.html#{state}"))
    assert page.evaluate("document.querySelector('.shown').textContent") == "400 of 400 images shown"
    assert page.evaluate(f"[{VIEW}.x, {VIEW}.y, {VIEW}.selected, {VIEW}.box]") == [0.5, 0.5, -1, None]
