"""The interactive map in a browser."""

import json
from urllib.parse import quote

import pytest
from PIL import Image

from pipeline.contents.reading import read_sections
from pipeline.contents.writing import new_chapter
from pipeline.figures.drawing.palette import SEQUENCE
from pipeline.report.escaping import visible
from pipeline.report.site import Texts, write_report
from tests.pipeline.report import fakes
from tests.pipeline.report.browser import CHROMIUM, at

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


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
    page.open(at(report, f"map.html#path={path}"))
    assert page.evaluate("document.querySelector('.link').textContent") == "image 21"
    assert _view(page, "view.selected") == 7
    assert _view(page, "[view.x, view.y]") == pytest.approx(_view(page, "[view.data.x[7], view.data.y[7]]"))


def test_link_by_path_shows_the_image(page, report):
    path = quote(f"{fakes.HOSTILE[2]}/2.png")
    page.open(at(report, f"map.html#path={path}"))
    assert _view(page, "view.selected") == 2
    assert page.evaluate("document.querySelector('.panel .path').textContent").startswith("a'b\\u000ac&amp;")


def test_link_to_a_missing_image_says_so(page, report):
    page.open(at(report, "map.html#path=gone.png"))
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
    points = fakes.map_points(fakes.POINTS)
    assert cells == [gx + 20 * gy for gx, gy in zip(points["gx"], points["gy"], strict=True)]


def test_filters_hide_images(page, report):
    points = fakes.map_points(fakes.POINTS)
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


def test_classes_have_the_colours_of_the_pictures(page, report):
    page.open(report / "map.html")
    swatches = "[...document.querySelectorAll('.legend .swatch')].map(one => one.style.background)"
    shown = [
        "#" + "".join(f"{int(part):02x}" for part in colour[4:-1].split(","))
        for colour in page.evaluate(swatches)
    ]
    assert shown == list(SEQUENCE)


def test_colours_by_right_and_wrong(page, report):
    points = fakes.map_points(fakes.POINTS)
    wrong = [a != b for a, b in zip(points["label"], points["predicted"], strict=True)]
    page.open(at(report, "map.html#colour=right"))
    assert page.evaluate("document.querySelector('[name=colour]').value") == "right"
    assert _view(page, "[...view.colouring.values]") == [int(bad) for bad in wrong]
    counts = "[...document.querySelectorAll('.legend .count')].map(one => one.textContent)"
    assert page.evaluate(counts) == [str(fakes.POINTS - sum(wrong)), str(sum(wrong))]
    page.evaluate("document.querySelector('.legend li button').click()")
    assert (
        page.evaluate("document.querySelector('.shown').textContent") == f"{sum(wrong)} of 400 images shown"
    )
    assert page.evaluate("location.hash") == "#colour=right&class=wrong"


def test_colours_by_an_attribute_are_loaded_when_asked_for(page, report):
    page.open(report / "map.html")
    assert not [one for one in page.requests if "attribute-" in one]
    page.evaluate(_choose("attribute:height"))
    page.wait("document.querySelector('.scale').hidden === false")
    ends = "['low', 'high', 'unknown'].map(one => document.querySelector(`.scale .${one}`).textContent)"
    assert page.evaluate(ends) == ["≤ 2.49", "≥ 197.5", "1 without a value are grey"]
    values = _view(page, "[...view.colouring.values]")
    assert (values[3], values[5], values[-1]) == (255, 0, 254)
    assert values[200] == pytest.approx(254 * (100 - 2.49) / (197.5 - 2.49), abs=0.51)
    page.evaluate(_choose(f"attribute:{fakes.HOSTILE[0]}"))
    page.wait("document.querySelectorAll('.legend li').length === 4")
    assert page.evaluate("document.querySelector('.legend bdi').textContent") == fakes.HOSTILE[1]
    address, shown = page.evaluate("location.href"), _view(page, "[...view.colouring.values].slice(0, 6)")
    assert shown == [0, 1, 2, 0, 3, 2]
    page.open(report / "map.html")
    page.open(address)
    page.wait("document.querySelectorAll('.legend li').length === 4")


def _choose(key):
    script = "(box => { box.value = %s; box.dispatchEvent(new Event('change')); })"
    return script % json.dumps(key) + "(document.querySelector('[name=colour]'))"


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
    assert _view(page, "[...view.colouring.shown]") == [1, 1, 1, 0, *[1] * 7]


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


def test_a_part_of_the_map_loads_the_atlases_of_that_part(page, report):
    points = fakes.map_points(fakes.POINTS)
    page.open(report / "map.html")
    x, y = _view(page, "[view.data.x[7], view.data.y[7]]")
    page.requests.clear()
    page.open(at(report, f"map.html#v={x},{y},12"))
    own = points["levels"][1]["files"][7 // 64]
    page.wait(f"document.querySelector('canvas.map').view.sheets.bitmaps.has('{own}')")
    loaded = {address.rpartition("/")[2] for address in page.requests}
    for level in points["levels"]:
        assert 0 < len(loaded & set(level["files"])) < len(level["files"])


def test_the_map_draws_small_tiles_from_coarse_atlases(page, report):
    page.open(report / "map.html")
    sides = _view(page, "[2, 4, 6, 8, 50].map(pixels => view.sheets.levelFor(pixels).tile)")
    assert sides == [4, 4, 8, 8, 8]


def test_the_map_draws_each_image_with_its_own_tile(page, report, tmp_path):
    page.open(report / "map.html")
    points = fakes.map_points(fakes.POINTS)
    fine = points["levels"][1]
    for i in (fakes.POINTS - 1, 3):
        _view(page, f"view.centre({i}, 160), view.selected = {i}")
        number, place = divmod(i, 64)
        page.wait(f"document.querySelector('canvas.map').view.sheets.bitmaps.has('{fine['files'][number]}')")
        page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        page.picture(tmp_path / "map.png")
        # The image that is looked at lies on top, 1.3 times as large; the third pixel from its middle.
        x, y = _place(page, "view.x", "view.y")
        step = _view(page, "view.tile * view.scale") * 1.3 / 8
        with Image.open(tmp_path / "map.png") as image:
            shown = image.convert("RGB").getpixel((round(x + 2.5 * step), round(y + 1.5 * step)))
        row, column = divmod(place, 8)
        with Image.open(report / "figures/codes" / fine["files"][number]) as image:
            expected = image.convert("RGB").getpixel((column * 8 + 6, row * 8 + 5))
        assert shown == pytest.approx(expected, abs=3)


def test_another_theme_puts_another_ground_beside_the_images(page, report):
    page.open(report / "map.html")
    sheets = "document.querySelector('canvas.map').view.sheets"
    ready = "(sheets => sheets.paper === '{}' && sheets.bitmaps.size >= 7)" + f"({sheets})"
    page.wait(ready.format("#fbfbf9"))
    page.evaluate("document.querySelector('button.theme').click()")
    page.wait(ready.format("#14181d"))
    page.evaluate("localStorage.clear()")


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A map whose paths lie in many scripts."""
    folder = tmp_path_factory.mktemp("many")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.contents.map_points.PATHS_BYTES", 2000)
        figures = fakes.write_figures(folder / "figures", points=fakes.POINTS)
    texts = Texts("Many", captions=fakes.captions(folder / "captions"))
    write_report(folder / "report", read_sections(figures), fakes.provenance(), texts)
    return folder / "report"


def _loaded(page):
    return {one.rpartition("/")[2] for one in page.requests if "/paths-" in one}


def test_paths_of_a_large_map_are_loaded_when_they_are_asked_for(page, many):
    page.open(many / "map.html")
    assert not _loaded(page)
    page.evaluate("document.querySelector('canvas.map').focus()")
    page.key("n")
    page.wait("location.hash.endsWith('/0.png')")
    assert page.evaluate("document.querySelector('.panel .path').textContent").endswith("/0.png")
    assert _loaded(page) == {"paths-000.js"}
    page.evaluate("document.querySelector('[name=path]').value = '/39'")
    page.evaluate("document.querySelector('.search').requestSubmit()")
    page.wait("document.querySelector('canvas.map').view.selected === 39")
    assert len(_loaded(page)) > 5


def test_a_link_into_a_large_map_loads_the_paths_beside_it_alone(page, many):
    page.open(at(many, f"map.html#path={quote(fakes.HOSTILE[399 % 8])}/399.png"))
    page.wait("document.querySelector('.link').textContent === 'image 1197'")
    assert _view(page, "view.selected") == 399
    assert len(_loaded(page)) == 1
    page.open(at(many, "map.html#path=gone.png"))
    page.wait("document.querySelector('.say').textContent.includes('not on the map')")


def test_the_nearest_in_a_large_map_are_read_from_the_script_beside_the_paths(page, many):
    points = fakes.map_points(fakes.POINTS)
    page.open(at(many, f"image.html#path={quote(points['path'][250])}"))
    page.wait("!!document.querySelector('.nearest')")
    page.evaluate("document.querySelector('.nearest').scrollIntoView()")
    page.wait("!document.querySelector('.nearest:empty')")
    titles = page.evaluate("[...document.querySelectorAll('.nearest a')].map(one => one.title)")
    assert titles == [visible(points["path"][one]) for one in (252, 251, 253)]
    assert len({one for one in page.requests if "/near-" in one}) == 1


def test_a_legend_of_many_classes_is_folded_and_searched(page, tmp_path):
    with new_chapter(tmp_path / "figures/codes") as chapter:
        fakes.codes(chapter, 400, classes=30, names=("class",))
    texts = Texts("Many", captions=fakes.captions(tmp_path / "captions"))
    write_report(tmp_path / "report", read_sections(tmp_path / "figures"), fakes.provenance(), texts)
    page.open(tmp_path / "report/map.html")
    shown = "[...document.querySelectorAll('.legend li')].filter(one => !one.hidden).length"
    assert page.evaluate(shown) == 20
    assert page.evaluate("document.querySelector('[data-do=more]').textContent") == "show all 30"
    search = "(box => { box.value = 'class 2'; box.dispatchEvent(new Event('input')); })"
    page.evaluate(search + "(document.querySelector('[name=entry]'))")
    # Those whose number begins with 2.
    assert page.evaluate(shown) == 11
    page.evaluate(search.replace("'class 2'", "''") + "(document.querySelector('[name=entry]'))")
    page.evaluate("document.querySelector('[data-do=more]').click()")
    assert page.evaluate(shown) == 30


def test_a_map_without_labels_offers_nothing_of_labels(page, tmp_path, monkeypatch):
    labelled = fakes.map_points
    monkeypatch.setattr(
        fakes,
        "map_points",
        lambda count, *given, **more: {**labelled(count, *given, **more), "label": [-1] * count},
    )
    with new_chapter(tmp_path / "figures/codes") as chapter:
        fakes.codes(chapter, 100)
    texts = Texts("Unlabelled", captions=fakes.captions(tmp_path / "captions"))
    write_report(tmp_path / "report", read_sections(tmp_path / "figures"), fakes.provenance(), texts)
    page.open(tmp_path / "report/map.html")
    offered = page.evaluate("[...document.querySelector('[name=colour]').options].map(one => one.value)")
    assert offered[0] == "predicted" and not {"label", "right"} & set(offered)
    assert page.evaluate("document.querySelector('[name=colour]').value") == "predicted"
    assert not page.evaluate("document.querySelector('[name=wrong]').checkVisibility()")
