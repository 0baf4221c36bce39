from urllib.parse import quote

import pytest

from pipeline.contents.reading import read_sections
from pipeline.report.site import Texts, write_report
from tests.pipeline.report import fakes
from tests.pipeline.report.browser import CHROMIUM, browser

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
    pytest.mark.xdist_group("browser"),
]
PAGES = (
    "index.html",
    "chapters/network.html",
    "chapters/units.html",
    "chapters/codes.html",
    "chapters/where-it-looks.html",
    "chapters/about.html",
    "layers/pool.html",
    "units/pool/2.html",
    "units/pool/1.html",
    "unit.html#pool/4",
    f"image.html#path={quote(fakes.HOSTILE[2])}/2.png",
    f"image.html#path={quote(fakes.HOSTILE[5])}",
    "map.html",
)
POINTS = 400


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    figures = fakes.write_figures(folder / "figures", points=POINTS)
    texts = Texts(fakes.HOSTILE[0], captions=fakes.captions(folder / "captions"))
    write_report(folder / "report", read_sections(figures), fakes.provenance(), texts)
    return folder / "report"


@pytest.fixture(scope="module")
def tab():
    with browser() as page:
        yield page


@pytest.fixture
def page(tab):
    tab.problems.clear()
    tab.requests.clear()
    yield tab
    assert not tab.problems
    assert all(address.startswith(("file:", "data:", "about:")) for address in tab.requests)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "dark"), [(390, False), (390, True), (1440, False), (1440, True)])
def test_pages_fit_and_run_nothing_of_the_dataset(page, report, name, width, dark):
    page.open(_at(report, name), width=width, dark=dark)
    page.wait("!document.querySelector('.found') || document.querySelector('.found').children.length > 0")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("document.documentElement.dataset.hacked") is None
    assert page.evaluate("[...document.images].every(i => i.loading === 'lazy' || i.naturalWidth > 0)")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(20, 24, 29)" if dark else "rgb(251, 251, 249)")


def _at(report, page):
    """The address of a page with what follows #."""
    return f"{report.as_uri()}/{page}"


def test_chosen_theme_is_remembered_on_other_pages(page, report):
    page.open(report / "index.html")
    page.evaluate("document.querySelector('button.theme').click()")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.open(report / "units/pool/2.html")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.evaluate("localStorage.clear()")


def test_figure_for_dark_pages_takes_the_place_of_the_light_one(page, report):
    shown = "['only-light', 'only-dark'].map(c => getComputedStyle(document.querySelector('.' + c)).display)"
    page.open(report / "chapters/network.html")
    assert page.evaluate(shown) == ["block", "none"]
    page.open(report / "chapters/network.html", dark=True)
    assert page.evaluate(shown) == ["none", "block"]
    page.open(_at(report, "chapters/network.html?theme=light"), dark=True)
    assert page.evaluate(shown) == ["block", "none"]


def test_arrow_keys_lead_to_the_next_unit(page, report):
    page.open(report / "units/pool/1.html")
    page.key("ArrowRight")
    page.wait("location.pathname.endsWith('/2.html') && document.readyState === 'complete'")


def test_a_box_is_framed_where_it_lies_in_the_whole_image(page, report):
    page.open(report / "units/pool/2.html")
    scene = "(box => [box.width, box.height])(document.querySelector('.scene').getBoundingClientRect())"
    assert page.evaluate(scene) == [20, 10]
    frame = """(() => {
        const [frame, scene] = ['.scene i', '.scene'].map(one => document.querySelector(one).getBoundingClientRect());
        return [frame.x - scene.x, frame.y - scene.y, frame.width];
    })()"""
    assert page.evaluate(frame) == [5, 2, 10]
    # The second image of its sheet: 16 pixels from the top.
    sheet = "document.querySelector('.scene img').getBoundingClientRect()"
    assert page.evaluate(f"document.querySelector('.scene').getBoundingClientRect().y - {sheet}.y") == 16
    assert page.evaluate("document.querySelector('.scene.lost').textContent") == "not readable0.5"


def test_layer_can_be_ordered_and_filtered(page, report):
    page.open(report / "layers/pool.html")
    units = "[...document.querySelectorAll('.units li:not([hidden])')].map(li => +li.dataset.unit)"
    for name, value, expected in (
        ("order", "+1", [1, 0, 2, 3]), ("order", "-0", [3, 2, 0, 1]), ("order", "", [0, 1, 2, 3]),
        ("zero", "1", [1]), ("zero", "", [0, 1, 2, 3]), ("unit", "2", [2]),
    ):  # fmt: skip
        page.evaluate(f"tools.elements.{name}.value = '{value}'")
        for kind in ("input", "change"):
            page.evaluate(f"tools.elements.{name}.dispatchEvent(new Event('{kind}', {{bubbles: true}}))")
        assert page.evaluate(units) == expected, (name, value)


def test_layer_leads_to_a_unit_that_was_not_drawn(page, report):
    page.open(report / "layers/pool.html")
    page.evaluate("tools.elements.unit.value = '4'; tools.dispatchEvent(new Event('input'))")
    page.evaluate("tools.querySelector('.open').click()")
    page.wait("location.pathname.endsWith('/unit.html') && !!document.querySelector('.found table')")
    assert page.evaluate("document.querySelector('h1').textContent") == "pool, unit 4"
    assert page.evaluate("document.querySelector('.here').textContent") == "unit 4"
    cells = "[...document.querySelectorAll('.found tr:nth-child(1) td')].map(td => td.textContent)"
    assert page.evaluate(cells)[0] == "1"
    assert "7 of 10 (70.0\u00a0%)" in page.evaluate("document.querySelector('.found dl').textContent")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("pool/99", "pool has 6 units"),
        ("conv/1", "knows no layer “conv”"),
        ("pool/5", "This unit was not drawn."),
    ],
)
def test_a_unit_that_is_not_there_is_said(page, report, asked, expected):
    page.open(_at(report, f"unit.html#{asked}"))
    page.wait(f"document.querySelector('main').textContent.includes('{expected}')")


def test_arrow_keys_lead_from_one_unit_to_the_next(page, report):
    page.open(_at(report, "unit.html#pool/4"))
    page.wait("!!document.querySelector('a[rel=next]')")
    page.key("ArrowRight")
    page.wait("document.querySelector('h1').textContent === 'pool, unit 5'")
    page.key("ArrowLeft")
    page.wait("document.querySelector('h1').textContent === 'pool, unit 4'")
    page.key("ArrowLeft")
    page.wait("location.pathname.endsWith('/units/pool/3.html')")


def test_a_drawn_unit_is_led_to_its_page(page, report):
    page.open(_at(report, "unit.html#features.1/2"))
    page.wait("location.pathname.endsWith('/units/features-1/2.html')")


def test_an_image_is_shown_with_its_place_and_what_sections_say(page, report):
    page.open(_at(report, f"image.html#path={quote(fakes.HOSTILE[2])}/2.png"))
    page.wait("!!document.querySelector('.found .details')")
    text = page.evaluate("document.querySelector('main').textContent")
    assert "6" in text and "top5" in text and "A probe" in text
    assert page.evaluate("document.querySelector('.found .details a').getAttribute('href')").startswith(
        "map.html#path=a'b%0Ac%26amp%3B"
    )


def test_an_image_names_the_units_that_it_excites(page, report):
    page.open(_at(report, f"image.html#path={quote(fakes.HOSTILE[2])}"))
    page.wait("!!document.querySelector('.excites')")
    units = page.evaluate("[...document.querySelectorAll('.excites a')].map(a => a.getAttribute('href'))")
    assert units == [f"units/{slug}/{unit}.html" for slug in ("features-1", "pool") for unit in (0, 2)]


def test_an_unknown_image_is_said(page, report):
    page.open(_at(report, "image.html#path=__proto__"))
    page.wait("document.querySelector('.say').textContent.includes('knows nothing of “__proto__”')")


def _view(page, expression):
    return page.evaluate(
        f"(() => {{ const view = document.querySelector('canvas.map').view; return {expression} }})()"
    )


def _place(page, x, y):
    """Where on the screen a point of the map is drawn."""
    across = f"box.x + ({x} - view.x) * view.scale + view.width / 2"
    down = f"box.y + ({y} - view.y) * view.scale + view.height / 2"
    return _view(page, f"(box => [{across}, {down}])(view.canvas.getBoundingClientRect())")


def test_link_to_an_image_shows_it(page, report):
    path = quote(f"{fakes.HOSTILE[7]}/7.png")
    page.open(_at(report, f"map.html#path={path}"))
    assert page.evaluate("document.querySelector('.link').textContent") == "image 21"
    assert _view(page, "view.selected") == 7
    assert _view(page, "[view.x, view.y]") == pytest.approx(_view(page, "[view.data.x[7], view.data.y[7]]"))


def test_link_by_path_shows_the_image(page, report):
    path = quote(f"{fakes.HOSTILE[2]}/2.png")
    page.open(_at(report, f"map.html#path={path}"))
    assert _view(page, "view.selected") == 2
    assert page.evaluate("document.querySelector('.panel .path').textContent").startswith("a'b\\u000ac&amp;")


def test_link_to_a_missing_image_says_so(page, report):
    page.open(_at(report, "map.html#path=gone.png"))
    assert "not on the map" in page.evaluate("document.querySelector('.say').textContent")


def test_mouse_looks_zooms_and_pans(page, report):
    page.open(report / "map.html")
    x, y = _place(page, "view.data.x[399]", "view.data.y[399]")
    page.mouse("mouseMoved", x, y)
    assert page.evaluate("document.querySelector('.panel .path').textContent").endswith("/399.png")
    page.click(x, y)
    assert page.evaluate("location.hash").endswith("/399.png")
    before = _view(page, "view.scale")
    page.mouse("mouseWheel", x, y, deltaX=0, deltaY=-200)
    page.wait(f"document.querySelector('canvas.map').view.scale > {before}")
    middle, start = _place(page, "view.x", "view.y"), _view(page, "view.x")
    page.mouse("mousePressed", *middle, button="left", clickCount=1)
    page.mouse("mouseMoved", middle[0] - 60, middle[1], button="left", buttons=1)
    page.mouse("mouseReleased", middle[0] - 60, middle[1], button="left", clickCount=1)
    assert _view(page, "view.x") == pytest.approx(start + 60 / _view(page, "view.scale"), abs=1e-6)


def test_two_fingers_zoom_and_one_tap_looks(page, report):
    page.open(report / "map.html", width=390, height=844)
    page.call("Emulation.setTouchEmulationEnabled", enabled=True)
    x, y = _place(page, "view.x", "view.y")
    before = _view(page, "view.scale")
    page.touch("touchStart", (x - 30, y), (x + 30, y))
    page.touch("touchMove", (x - 60, y), (x + 60, y))
    page.touch("touchEnd")
    page.wait(f"document.querySelector('canvas.map').view.scale > 1.5 * {before}")
    assert _view(page, "view.selected") == -1
    page.evaluate("document.querySelector('[data-do=whole]').click()")
    x, y = _place(page, "view.data.x[399]", "view.data.y[399]")
    page.touch("touchStart", (x, y))
    page.touch("touchEnd")
    page.wait("document.querySelector('canvas.map').view.selected === 399")
    page.call("Emulation.setTouchEmulationEnabled", enabled=False)


def test_keyboard_reaches_everything(page, report):
    page.open(report / "map.html")
    page.evaluate("document.querySelector('canvas.map').focus()")
    before = _view(page, "[view.x, view.scale]")
    page.key("+")
    page.key("ArrowRight")
    after = _view(page, "[view.x, view.scale]")
    assert after[0] > before[0] and after[1] > before[1]
    page.key("n")
    assert page.evaluate("location.hash").endswith("/0.png")
    page.key("n")
    assert page.evaluate("location.hash").endswith("/1.png")
    page.key("g")
    assert page.evaluate("document.querySelector('[name=layout]:checked').value") == "grid"
    page.key("Escape")
    page.key("0")
    assert _view(page, "[view.selected, view.x, view.scale]") == pytest.approx([-1, *before])


def test_grid_puts_each_image_into_its_cell(page, report):
    page.open(report / "map.html")
    page.evaluate("document.querySelector('[name=layout][value=grid]').click()")
    cells = _view(
        page,
        "[...view.data.x].map((x, i) => Math.round(x * 20 - .5) + 20 * Math.round(view.data.y[i] * 20 - .5))",
    )
    points = fakes.map_points(POINTS)
    assert cells == [gx + 20 * gy for gx, gy in zip(points["gx"], points["gy"], strict=True)]


def test_filters_hide_images(page, report):
    points = fakes.map_points(POINTS)
    wrong = [a != b for a, b in zip(points["label"], points["predicted"], strict=True)]
    shown = "document.querySelector('.shown').textContent"
    page.open(report / "map.html")
    assert page.evaluate(shown) == "400 of 400 images shown"
    page.evaluate("document.querySelector('[name=wrong]').click()")
    assert page.evaluate(shown) == f"{sum(wrong)} of 400 images shown"
    page.evaluate("document.querySelector('.legend li button').click()")
    left = sum(bad for bad, label in zip(wrong, points["label"], strict=True) if label)
    assert page.evaluate(shown) == f"{left} of 400 images shown"
    page.evaluate("document.querySelector('[data-do=none]').click()")
    assert page.evaluate(shown) == "0 of 400 images shown"


def test_search_goes_to_the_next_match(page, report):
    page.open(report / "map.html")
    page.evaluate("document.querySelector('[name=path]').value = '/39'")
    for expected in (39, 390, 391):
        page.evaluate("document.querySelector('.search').requestSubmit()")
        assert _view(page, "view.selected") == expected


def test_address_holds_the_whole_state(page, report):
    page.open(report / "map.html")
    page.evaluate("document.querySelectorAll('.legend li button')[3].click()")
    page.evaluate("document.querySelector('[name=wrong]').click()")
    page.evaluate("document.querySelector('[name=layout][value=grid]').click()")
    page.evaluate("(view => { view.look(0.25, 0.75, 4); })(document.querySelector('canvas.map').view)")
    page.wait("location.hash.includes('v=0.25,0.75,4')")
    shown, address = (
        page.evaluate("document.querySelector('.shown').textContent"),
        page.evaluate("location.href"),
    )
    page.open(address)
    assert page.evaluate("document.querySelector('.shown').textContent") == shown
    assert page.evaluate("document.querySelector('[name=layout]:checked').value") == "grid"
    assert _view(page, "[view.x, view.y, view.scale / view.fitScale]") == pytest.approx([0.25, 0.75, 4])
    assert _view(page, "[...view.data.shownClasses]") == [1, 1, 1, 0, *[1] * 7]


def test_back_undoes_a_selection(page, report):
    page.open(report / "map.html")
    page.evaluate("document.querySelector('canvas.map').focus()")
    page.key("n")
    page.key("n")
    assert _view(page, "view.selected") == 1
    page.evaluate("history.back()")
    page.wait("document.querySelector('canvas.map').view.selected === 0")
    page.evaluate("history.back()")
    page.wait("document.querySelector('canvas.map').view.selected === -1")
