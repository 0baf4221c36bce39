"""Tables as CSV."""

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.store.tables import read_table, write_table


def test_cells_by_type(tmp_path):
    path = tmp_path / "plots" / "a.csv"
    write_table(
        path,
        ("name", "x"),
        [("a, b", np.float32(1 / 3)), ('"', 2), (None, float("nan")), ("ü", np.int64(-3))],
    )
    assert path.read_text() == 'name,x\n"a, b",0.333333\n"""",2\n,\nü,-3\n'
    assert [item.name for item in path.parent.iterdir()] == ["a.csv"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_is_no_formula(tmp_path, start):
    write_table(tmp_path / "a.csv", ("name",), [(f"{start}1+1",)])
    with (tmp_path / "a.csv").open(newline="") as file:
        assert file.read().splitlines()[1].lstrip('"').startswith("'")


@pytest.mark.parametrize("name", ["-x", "=1+1", "@home", "'-x", "'x", "1-2"])
def test_a_name_comes_back(tmp_path, name):
    write_table(tmp_path / "a.csv", ("name", "output"), [(name, "1")])
    assert read_table(tmp_path / "a.csv", ("name",)) == [(name,)]


def test_reads_the_columns_asked_for(tmp_path):
    (tmp_path / "a.csv").write_text('\ufeffb, a,c\n1,x y ,\n\n2,"q,r",3\n', encoding="utf-8")
    assert read_table(tmp_path / "a.csv", ("a", "b")) == [("x y", "1"), ("q,r", "2")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a\n1\n", "no column 'b'"),
        (b"", "no column 'a'"),
        (b"a,b\n1\n", "line 2"),
        (b"a,b\n\xff,1\n", "UTF-8"),
    ],
)
def test_what_is_no_such_table_is_refused(tmp_path, content, message):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_table(tmp_path / "a.csv", ("a", "b"))
