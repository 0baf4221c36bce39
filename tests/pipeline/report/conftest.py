"""A small report, and a browser to open it in."""

import pytest

from pipeline.contents.reading import read_sections
from pipeline.report.site import Texts, write_report
from tests.pipeline.report import fakes
from tests.pipeline.report.browser import browser


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    figures = fakes.write_figures(folder / "figures", points=fakes.POINTS)
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
