import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.store.cells import quote, unquote


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_formulas_are_quoted(text):
    assert quote(text) == "'" + text


@pytest.mark.parametrize("text", ["", "a.jpg", "a=b", "'a", "1-2"])
def test_other_text_stays(text):
    assert quote(text) == unquote(text) == text


@given(st.text(alphabet="'=+-@ab\t"))
def test_quoting_is_reversible(text):
    assert unquote(quote(text)) == text
