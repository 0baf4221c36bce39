import json
from urllib.parse import quote

import numpy as np
import pytest

from pipeline.report.escaping import visible
from tests.pipeline.report import fakes
from tests.pipeline.report.browser import CHROMIUM, at

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


@pytest.mark.parametrize("name", fakes.REPORT_PAGES)
@pytest.mark.parametrize(("width", "dark"), [(390, False), (390, True), (1440, False), (1440, True)])
def test_pages_fit_and_run_nothing_of_the_dataset(page, report, name, width, dark):
    page.open(at(report, name), width=width, dark=dark)
    page.wait("!document.querySelector('.found') || document.querySelector('.found').children.length > 0")
    # A page that is too wide makes the window of a phone wider.
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.documentElement.dataset.hacked") is None
    assert page.evaluate("[...document.images].every(i => i.loading === 'lazy' || i.naturalWidth > 0)")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(20, 24, 29)" if dark else "rgb(251, 251, 249)")


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
    page.open(at(report, "chapters/network.html?theme=light"), dark=True)
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
        const [frame, scene] = ['.scene i', '.scene'].map(
            one => document.querySelector(one).getBoundingClientRect());
        return [frame.x - scene.x, frame.y - scene.y, frame.width];
    })()"""
    assert page.evaluate(frame) == [5, 2, 10]
    # The second image of its sheet: 16 pixels from the top.
    sheet = "document.querySelector('.scene img').getBoundingClientRect()"
    assert page.evaluate(f"document.querySelector('.scene').getBoundingClientRect().y - {sheet}.y") == 16
    assert page.evaluate("document.querySelector('.scene.lost').textContent") == "not readable0.5"


def test_what_lies_outside_an_outline_is_darkened(page, report):
    page.open(report / "units/pool/2.html")
    # From 6, 3 to 13, 6 in pixels of the image; the path counts halves.
    darkened = """[[2, 2], [5, 4], [8, 4], [12, 5], [14, 5], [19, 9]].map(
        ([x, y]) => document.querySelector('.scene path').isPointInFill(new DOMPoint(2 * x, 2 * y)))"""
    assert page.evaluate(darkened) == [True, True, False, False, True, True]
    drawn = """(path => {
        const [box, scene] = [path, path.closest('.scene')].map(one => one.getBoundingClientRect());
        return [box.x + box.width / 2 - scene.x, box.y + box.height / 2 - scene.y];
    })(document.querySelector('.scene .point'))"""
    assert page.evaluate(drawn) == [4, 6]
    frames = "[...document.querySelectorAll('.scene')].map(one => one.querySelectorAll('i').length)"
    assert page.evaluate(frames) == [1, 1, 0]


def test_a_units_pictures_are_patches_whole_images_or_outlines(page, report):
    page.open(report / "units/features-1/2.html")
    seen = """[...document.querySelectorAll('.looks li')].map(one =>
        [...one.querySelectorAll('.tile, .scene, .scene path')].map(
            part => part.getClientRects().length > 0))"""
    patches, whole, outlined = ([[look, *scene] for scene in scenes] for look, scenes in (
        (True, ([False, False], [False, False], [False])),
        (False, ([True, False], [True, True], [True])),
        (False, ([True, True], [True, True], [True])),
    ))  # fmt: skip
    assert page.evaluate(seen) == patches
    page.evaluate("document.getElementById('look-patch').focus()")
    for expected in (whole, outlined):
        page.key("ArrowRight")
        assert page.evaluate(seen) == expected
    # The choice stays from unit to unit.
    page.evaluate("location.href = '3.html'")
    page.wait("location.pathname.endsWith('/3.html') && document.readyState === 'complete'")
    assert page.evaluate("document.querySelector('input[name=look]:checked').value") == "outline"
    page.evaluate("sessionStorage.clear()")


def test_a_picture_fills_its_place_as_a_whole(page, report):
    page.open(report / "units/features-1/2.html")
    page.evaluate("document.getElementById('look-whole').click()")
    scene = "document.querySelector('.looks .scene').getBoundingClientRect()"
    box = f"(one => [one.width, one.height].map(Math.round))({scene})"
    assert page.evaluate(box) == [160, 80]


@pytest.mark.parametrize(("width", "aligned"), [(1440, True), (390, False)])
def test_plates_side_by_side_begin_together_however_long_a_title_is(page, report, width, aligned):
    page.open(report / "chapters/network.html", width=width)
    page.evaluate("document.querySelector('.multiples > figure > *').textContent = 'long title '.repeat(40)")
    top = "[...document.querySelectorAll('.multiples .only-light')].map(one => one.getBoundingClientRect().y)"
    first, second = page.evaluate(top)[:2]
    assert (abs(first - second) < 1) is aligned


def _choose(page, **fields):
    for name, value in fields.items():
        page.evaluate(
            f"(field => {{ field[field.type === 'checkbox' ? 'checked' : 'value'] = {json.dumps(value)};"
            f" field.dispatchEvent(new Event('input')); }})(tools.elements[{json.dumps(name)}])"
        )


def _shows(page, *units):
    """Wait until a layer's page shows these units in this order: numbers are loaded when asked for."""
    listed = "[...document.querySelectorAll('#list > li')].map(one => +one.id.slice(5)).join()"
    page.wait(f"!tools.hidden && {listed} === '{','.join(map(str, units))}'")


def test_units_of_a_layer_are_ordered_and_chosen_and_the_address_says_how(page, report):
    page.open(report / "layers/pool.html")
    _shows(page, 0, 1, 2, 3, 4)
    for name, value, expected in (
        ("order", "patches.largest:up", [1, 0, 2, 3, 4]),
        ("order", "patches.largest", [4, 3, 2, 0, 1]),
        ("drawn", True, [3, 2, 0, 1]),
        ("patches.class", fakes.HOSTILE[0], [2, 0]), ("drawn", False, [4, 2, 0]),
        ("unit", "2", [2]), ("unit", "", [4, 2, 0]), ("order", "", [0, 2, 4]), ("near", "0", [0, 2, 4]),
        ("patches.class", "", [0, 2, 1, 3, 4]),
    ):  # fmt: skip
        _choose(page, **{name: value})
        _shows(page, *expected)
    assert page.evaluate("location.hash") == "#near=0"
    assert page.evaluate("document.querySelector('#unit-2 .sorted').textContent") == "likeness −0.5"
    _choose(page, near="", order="patches.largest", **{"patches.class": fakes.HOSTILE[0]})
    address, shown = page.evaluate("[location.href, tools.elements.shown.value]")
    assert shown == "3 of 5 units shown, 2 of them drawn"
    page.open(address)
    _shows(page, 4, 2, 0)
    assert page.evaluate("document.querySelector('#list .sorted').textContent") == "largest 5"


@pytest.mark.parametrize("state", ["order=gone", "patches.class=gone", "gone=1", "near=77", "drawn=no"])
def test_a_link_to_what_a_layer_has_no_more_shows_all_its_units(page, report, state):
    page.open(at(report, f"layers/pool.html#{state}"))
    _shows(page, 0, 1, 2, 3, 4)


def test_on_paper_a_layer_shows_its_first_units_and_says_that_there_are_more(page, report):
    page.open(report / "layers/pool.html")
    _shows(page, 0, 1, 2, 3, 4)
    page.evaluate("for (let at = 0; at < 35; at++) list.append(list.children[3].cloneNode(true))")
    shown = "[...document.querySelectorAll('#list > li, .on-paper')].filter((one) => one.checkVisibility())"
    on_screen = page.evaluate(f"{shown}.length")
    page.call("Emulation.setEmulatedMedia", media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    on_paper = page.evaluate(f"{shown}.map((one) => one.className)")
    waiting = page.evaluate(f"{shown}.filter((one) => one.querySelector('[data-src]:not([src])')).length")
    page.call("Emulation.setEmulatedMedia", media="")
    assert on_screen == 40
    assert (len(on_paper), on_paper[-1], waiting) == (25, "note on-paper", 0)


def test_paper_is_white_whatever_the_screen_shows(page, report):
    page.open(report / "index.html", dark=True)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.call("Emulation.setEmulatedMedia", media="print")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    dark_pictures = page.evaluate(
        "[...document.querySelectorAll('.only-dark')].filter((one) => one.checkVisibility()).length"
    )
    page.call("Emulation.setEmulatedMedia", media="")
    assert (background, dark_pictures) == ("rgb(255, 255, 255)", 0)


def test_a_distribution_leads_to_the_units_in_its_order(page, report):
    page.open(report / "layers/pool.html")
    page.wait("!tools.hidden")
    page.evaluate("document.querySelector('.distributions a').click()")
    page.wait("tools.elements.order.value === 'patches.largest'")
    _shows(page, 4, 3, 2, 0, 1)


def test_an_anchor_of_a_unit_is_reached_among_those_that_come_by_script(page, report):
    page.open(at(report, "layers/pool.html#unit-4"), height=300)
    page.wait("!tools.hidden && scrollY > 0")
    assert page.evaluate("document.querySelector('#unit-4 a').getAttribute('href')") == "../unit.html#pool/4"


def test_layer_leads_to_a_unit_that_was_not_drawn(page, report):
    page.open(report / "layers/pool.html")
    page.wait("!tools.hidden")
    page.evaluate("document.querySelector('#unit-4 a').click()")
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
    page.open(at(report, f"unit.html#{asked}"))
    page.wait(f"document.querySelector('main').textContent.includes('{expected}')")


def test_a_unit_that_was_not_drawn_has_its_histogram_and_its_relatives(page, report):
    page.open(at(report, "unit.html#pool/4"))
    page.wait("!!document.querySelector('.found .histogram .bars')")
    links = "[...document.querySelectorAll('.excites a')].map(a => a.getAttribute('href'))"
    assert page.evaluate(links) == ["units/features-1/0.html", "units/pool/2.html"]
    assert page.evaluate("document.querySelector('.ends').textContent") == "0n = 102"


def test_arrow_keys_lead_from_one_unit_to_the_next(page, report):
    page.open(at(report, "unit.html#pool/4"))
    page.wait("!!document.querySelector('a[rel=next]')")
    page.key("ArrowRight")
    page.wait("document.querySelector('h1').textContent === 'pool, unit 5'")
    page.key("ArrowLeft")
    page.wait("document.querySelector('h1').textContent === 'pool, unit 4'")
    page.key("ArrowLeft")
    page.wait("location.pathname.endsWith('/units/pool/3.html')")


def test_a_drawn_unit_is_led_to_its_page(page, report):
    page.open(at(report, "unit.html#features.1/2"))
    page.wait("location.pathname.endsWith('/units/features-1/2.html')")


def test_an_image_is_shown_with_its_place_and_what_sections_say(page, report):
    page.open(at(report, f"image.html#path={quote(fakes.HOSTILE[2])}/2.png"))
    page.wait("!!document.querySelector('.found .details')")
    text = page.evaluate("document.querySelector('main').textContent")
    assert "6" in text and "top5" in text and "A probe" in text
    assert page.evaluate("document.querySelector('.found .details a').getAttribute('href')").startswith(
        "map.html#path=a'b%0Ac%26amp%3B"
    )


def test_an_image_stands_beside_those_before_and_after_it_on_the_map(page, report):
    points = fakes.map_points(fakes.POINTS)
    page.open(at(report, f"image.html#path={quote(points['path'][2])}"))
    page.wait("!!document.querySelector('.beside li')")
    links = """[...document.querySelectorAll('.beside:not(.nearest) a')].map(
        one => decodeURIComponent(one.getAttribute('href')))"""
    assert page.evaluate(links) == [f"#path={points['path'][place]}" for place in range(7)]
    here = "[...document.querySelectorAll('.beside a')].findIndex(one => one.ariaCurrent === 'page')"
    assert page.evaluate(here) == 2
    for key, place in (("j", 3), ("k", 2), ("k", 1)):
        page.key(key)
        page.wait(f"decodeURIComponent(location.hash) === {json.dumps('#path=' + points['path'][place])}")
        page.wait(f"document.querySelector('.beside [aria-current]').title.endsWith('/{place}.png')")


def open_nearest(page, report, place):
    """Open the page of a point's image, and return all points once those nearest to it are in sight."""
    points = fakes.map_points(fakes.POINTS)
    page.open(at(report, f"image.html#path={quote(points['path'][place])}"), height=400)
    page.wait("document.querySelectorAll('.beside li').length > 3")
    assert page.evaluate("document.querySelectorAll('.nearest li').length") == 0
    page.evaluate("document.querySelector('.nearest').scrollIntoView()")
    page.wait("!document.querySelector('.nearest:empty')")
    return points


def shown_nearest(page):
    items = """[...document.querySelectorAll('.nearest li')].map(one =>
        [decodeURIComponent(one.querySelector('a').getAttribute('href')), one.textContent])"""
    return [tuple(item) for item in page.evaluate(items)]


def test_an_image_that_is_no_probe_shows_those_nearest_to_it_by_code(page, report):
    points = open_nearest(page, report, 10)
    label, near = np.array(points["label"]), [12, 11, 13]
    assert shown_nearest(page) == [
        (
            f"#path={points['path'][one]}",
            f"{'✓' if label[one] == label[10] else '✗'} {visible(points['classes'][label[one]])}",
        )
        for one in near
    ]
    # The last is nearest to others, and has no nearest itself.
    known = label[:-1]
    chance = 100 * ((known == label[10]).sum() - 1) / (len(known) - 1)
    same = (label[near] == label[10]).sum()
    text = page.evaluate("document.querySelector('.nearest').closest('.part').textContent")
    said = f"{same} of 3 {'has' if same == 1 else 'have'} its label; of others drawn at random {chance:.1f}"
    assert f"{said}\u00a0% would." in text
    assert f"Of {fakes.POINTS}, by {visible(fakes.HOSTILE[0])}" in text
    page.evaluate("document.querySelector('.nearest a').click()")
    page.wait(f"document.querySelector('h1').textContent === {json.dumps(visible(points['path'][12]))}")


@pytest.mark.parametrize(("width", "height"), [(1440, 500), (390, 500)])
def test_what_stands_below_the_nearest_hardly_moves_as_they_come(page, report, width, height):
    page.open(at(report, f"image.html#path={quote(fakes.HOSTILE[2])}/2.png"), width=width, height=height)
    page.wait("document.querySelectorAll('.beside li').length > 3")
    below = "document.querySelector('.nearest').closest('.part').nextElementSibling.offsetTop"
    assert page.evaluate("document.querySelectorAll('.nearest li').length") == 0
    before = page.evaluate(below)
    page.evaluate("document.querySelector('.nearest').scrollIntoView()")
    page.wait("!document.querySelector('.nearest:empty')")
    # A label may take one line more or less than there was room for.
    assert abs(page.evaluate(below) - before) < 24


@pytest.mark.parametrize("seen", [False, True])
def test_on_paper_the_nearest_stand_only_where_they_have_come(page, report, seen):
    points = fakes.map_points(fakes.POINTS)
    page.open(at(report, f"image.html#path={quote(points['path'][10])}"), height=400)
    page.wait("document.querySelectorAll('.beside li').length > 3")
    if seen:
        page.bring(".nearest")
        page.wait("!document.querySelector('.nearest:empty')")
    page.call("Emulation.setEmulatedMedia", media="print")
    stands = page.evaluate("document.querySelector('.nearest').closest('.part').checkVisibility()")
    page.call("Emulation.setEmulatedMedia", media="")
    assert stands == seen


def test_where_few_are_known_to_be_near_few_are_shown_and_where_none_is_no_strip(page, report):
    last = fakes.POINTS - 1
    points = open_nearest(page, report, last - 1)
    assert [link for link, _ in shown_nearest(page)] == [f"#path={points['path'][last]}"]
    open_nearest(page, report, last)
    assert page.evaluate("document.querySelector('.nearest')") is None


def test_an_image_names_the_units_that_it_excites(page, report):
    page.open(at(report, f"image.html#path={quote(fakes.HOSTILE[2])}"))
    page.wait("!!document.querySelector('.excites')")
    units = page.evaluate("[...document.querySelectorAll('.excites a')].map(a => a.getAttribute('href'))")
    # By the image's place among the strongest of each.
    assert units == [f"units/{slug}/{unit}.html" for unit in (2, 0) for slug in ("features-1", "pool")]


def test_an_image_names_the_first_outputs_with_their_probabilities(page, report):
    page.open(at(report, f"image.html#path={quote(fakes.HOSTILE[2])}/2.png"))
    page.wait("!!document.querySelector('.taken') && !!document.querySelector('.beside')")
    items = page.evaluate("[...document.querySelectorAll('.taken li')].map(one => one.textContent)")
    assert items == [f"{fakes.HOSTILE[0]}75.0\u00a0%", "dog25.0\u00a0%", "cat<\u00a00.1\u00a0%"]
    lengths = page.evaluate("[...document.querySelectorAll('.taken i')].map(one => one.style.width)")
    assert lengths == ["75%", "25%", "0.1%"]
    assert page.evaluate("document.querySelector('.part h2').textContent") == "What the network takes it for"
    # The longest that a share can be stands on one line, and so does its bar beside it.
    page.evaluate("document.querySelector('.taken .share').textContent = '>\u00a099.9\u00a0%'")
    share, bar = page.evaluate(
        "['.share', '.length'].map(name => document.querySelector(`.taken ${name}`).offsetTop)"
    )
    heights = page.evaluate("[...document.querySelectorAll('.taken .share')].map(one => one.offsetHeight)")
    assert len(set(heights)) == 1 and 0 <= bar - share < heights[0]


def test_an_image_names_the_units_in_which_it_stands_highest(page, report):
    page.open(at(report, f"image.html#path={quote(fakes.HOSTILE[2])}/2.png"))
    page.wait("!!document.querySelector('.excites')")
    items = page.evaluate("[...document.querySelectorAll('.excites li')].map(one => one.textContent)")
    assert items == ["pool, unit 4 (no other)", "features.1, unit 2 (7 others)"]
    links = page.evaluate("[...document.querySelectorAll('.excites a')].map(a => a.getAttribute('href'))")
    assert links == ["unit.html#pool/4", "unit.html#features.1/2"]
    assert "among 1,000 images" in page.evaluate("document.querySelector('main').textContent")


@pytest.mark.parametrize(
    ("column", "row", "leads_to"),
    [(1, 0, "units/pool/0.html"), (2, 0, "unit.html#pool/4"), (0, 1, "units/pool/2.html"),
     (1, 1, "units/pool/3.html"), (2, 1, "probe.png"), (0, 0, "probe.png")],
)  # fmt: skip
def test_a_tile_of_a_picture_leads_to_its_unit_and_the_rest_to_the_picture(
    page, report, column, row, leads_to
):
    page.open(at(report, f"image.html#path={quote(fakes.HOSTILE[2])}/2.png"))
    page.wait("!!document.querySelector('a[data-places] img')")
    page.bring(".nearest")
    page.wait("!!document.querySelector('.nearest li')")
    left, top, width, height = page.bring("a[data-places] img")
    page.click(left + width * (column + 0.5) / 3, top + height * (row + 0.5) / 2)
    page.wait(f"decodeURI(location.href).endsWith('{leads_to}')")


def test_an_unknown_image_is_said(page, report):
    page.open(at(report, "image.html#path=__proto__"))
    page.wait("document.querySelector('.say').textContent.includes('knows nothing of “__proto__”')")


def test_a_figure_gives_its_caption_as_text(page, report):
    page.open(report / "chapters/network.html")
    page.evaluate("document.querySelector('.cite').click()")
    title = f"Accuracy of {fakes.HOSTILE[0]}"
    text = f"{title}. Caption with 15 bins. n = 1,207 images, split “test”, 95\u00a0% intervals (Wilson)."
    assert page.evaluate("captions.field.value").replace("\u00a0", " ") == text.replace("\u00a0", " ")
    assert page.evaluate("captions.field.selectionEnd") > 0
    page.key("Escape")
    assert not page.evaluate("captions.dialog.open")
    links = page.evaluate(
        "[...document.querySelectorAll('figcaption .files')[0].children].map(one => one.textContent)"
    )
    assert links == ["PNG", "SVG", "CSV", "caption", "link"]
