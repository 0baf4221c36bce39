import pytest

from pipeline.report.first.head import axis


@pytest.mark.parametrize(
    ("low", "high", "ends"),
    [
        (0.802, 0.818, (75, 85)), (0.937, 0.966, (90, 100)), (0.0, 0.04, (0, 10)), (0.2, 0.7, (0, 100)),
        (0.9995, 1.0, (95, 100)),
    ],
)  # fmt: skip
def test_the_line_holds_the_interval_and_is_not_much_longer(low, high, ends):
    assert axis(low, high) == ends


@pytest.mark.parametrize("low", [0.0, 0.013, 0.49, 0.976])
@pytest.mark.parametrize("width", [0.0, 0.001, 0.024, 0.3])
def test_no_interval_leaves_its_line(low, width):
    left, right = axis(low, min(1.0, low + width))
    assert 0 <= left <= 100 * low and 100 * min(1.0, low + width) <= right <= 100 and right - left >= 5
