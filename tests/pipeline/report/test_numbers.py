import numpy as np
import pytest

from pipeline.report import numbers


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (numbers.number(1797), "1,797"),
        (numbers.number(np.int64(1797)), "1,797"),
        (numbers.number(1.23456), "1.235"),
        (numbers.number("a\u202eb"), "a\\u202eb"),
        (numbers.count(1e6), "1,000,000"),
        (numbers.decimals(1234.5678, 2), "1,234.57"),
        (numbers.share(0.97333), "97.3\u00a0%"),
        (numbers.share(1, 0), "100\u00a0%"),
        (numbers.share(0), "0.0\u00a0%"),
        (numbers.share(4158 / 4160), ">\u00a099.9\u00a0%"),
        (numbers.share(1 / 4160), "<\u00a00.1\u00a0%"),
        (numbers.share(0.9994), "99.9\u00a0%"),
        (numbers.interval((0.9567, 0.9841)), "95.7–98.4\u00a0%"),
        (numbers.interval((-0.0131, 0.1)), "\N{MINUS SIGN}1.3 to 10.0\u00a0%"),
        (numbers.interval((-0.2, -0.0001)), "\N{MINUS SIGN}20.0 to 0.0\u00a0%"),
        (numbers.interval((5.3e-7, 7.7e-7)), "0.000053–0.000077\u00a0%"),
        (numbers.interval((-0.0004, 0.0)), "\N{MINUS SIGN}0.040 to 0.000\u00a0%"),
        (numbers.interval((0.0, 0.0)), "0.0–0.0\u00a0%"),
        (numbers.interval((0.99992317, 1.0)), "99.9923–100.0000\u00a0%"),
        (numbers.interval((0.9996, 1.0)), "99.960–100.000\u00a0%"),
        (numbers.interval((1.0, 1.0)), "100.0–100.0\u00a0%"),
        (numbers.share(-0.083), "\N{MINUS SIGN}8.3\u00a0%"),
        (numbers.plural(1, "unit"), "1\u00a0unit"),
        (numbers.plural(2000, "unit"), "2,000\u00a0units"),
        (numbers.plural(0, "class", "classes"), "0\u00a0classes"),
        (numbers.size((32, 1024)), "32\u00a0×\u00a01,024"),
        (numbers.cell(None), "–"),
        (numbers.cell(1234.5678), "1235"),
        (numbers.cell(1234), "1234"),
        (numbers.number(-1797), "−1,797"),
        (numbers.number(-0.00007572), "−7.572\u00a0×\u00a010⁻⁵"),
        (numbers.cell(1.234e12), "1.234\u00a0×\u00a010¹²"),
        (numbers.cell(-2), "−2"),
        (numbers.decimals(-0.1736, 2), "−0.17"),
        (numbers.decimals(-0.0012, 2), "0.00"),
    ],
)
def test_numbers_are_written_in_one_way(made, expected):
    assert made == expected


@pytest.mark.parametrize("value", [None, True, [1]])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="is no number"):
        numbers.number(value)


def test_a_count_must_be_whole():
    with pytest.raises(ValueError, match=r"1\.5 cannot be counted"):
        numbers.count(1.5)
