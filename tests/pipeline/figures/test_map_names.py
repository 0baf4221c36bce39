"""Names on the still map: those that stand there do not run into each other, in any script."""

from itertools import combinations

import numpy as np
import pytest

from pipeline.contents.writing import SectionDraft
from pipeline.figures import embedding
from pipeline.figures.drawing.plotting import plot

EACH = 30


@pytest.mark.parametrize("name", ["אבגדה וזחטי", "WWWWWWWW", "漢字とかな交じり", "👩 family"])
@pytest.mark.parametrize("apart", [0.15, 0.25, 0.3, 0.4])
def test_names_do_not_run_into_each_other(tmp_path, monkeypatch, name, apart):
    label = np.repeat(np.arange(3, dtype=np.int32), EACH)
    middle = np.array([(0.3, 0.5), (0.3 + apart, 0.5), (1.0, 1.0)])
    noise = np.random.default_rng(0).normal(0, 0.004, (3 * EACH, 2))
    xy = np.concatenate([(middle[label] + noise)[:-1], [(0, 0)]]).astype(np.float32)
    count = len(xy)
    points = embedding.Points(
        np.arange(count), [f"{row}.png" for row in range(count)], xy, np.zeros((count, 2), int), (9, 10),
        label, label, (name, f"{name}{name}", "c"), {}, (), (),
    )  # fmt: skip
    written = []

    def seen(folder, stem, size, paint):
        def painted(figure, theme):
            paint(figure, theme)
            figure.draw_without_rendering()
            written.append([one.get_window_extent() for one in figure.axes[0].texts])

        return plot(folder, stem, size, painted)

    monkeypatch.setattr(embedding, "plot", seen)
    embedding.add_labels(SectionDraft("embedding", tmp_path), points)
    assert not any(one.overlaps(other) for one, other in combinations(written[0], 2))
