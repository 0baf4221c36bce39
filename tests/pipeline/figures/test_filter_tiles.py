"""Pictures of filters, their bounds and scales."""

import csv

from pipeline.figures.filter_tiles import Bounds
from tests.small.filters import draft_of, pixels
from tests.small.pages import title_of


def test_first_filters_are_in_their_colours(tmp_path):
    draft = draft_of(tmp_path)
    figure = draft.blocks[0]
    assert (figure.numbers["form"], figure.numbers["colour"], figure.numbers["largest"]) == ("tiles", 1, 0.5)
    found = {tuple(colour) for colour in pixels(draft.folder, figure.image).reshape(-1, 3).tolist()}
    # Red and nothing else; black; a grey half as bright as white; zero.
    assert title_of("filters", "layer", figure.numbers) == (
        "First layer conv: all 3 filters, smoothness 0.25 (noise: ± 0.030)"
    )
    assert {(255, 128, 128), (1, 1, 1), (192, 192, 192), (128, 128, 128)} <= found
    with (draft.folder / figure.data).open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 9 and rows[3]["weight_2_0"] == "-0.5"


def test_deep_layers_are_bounded_and_say_so(tmp_path):
    draft = draft_of(tmp_path)
    deep, head = draft.blocks[-2:]
    assert (deep.numbers["form"], head.numbers["form"]) == ("crossed", "matrix")
    assert [deep.numbers[name] for name in ("shown", "filters", "channels_shown", "channels")] == [
        3,
        4,
        4,
        12,
    ]
    # Kernels of one weight have no smoothness.
    assert title_of("filters", "layer", head.numbers) == "Dense layer head: all 2 filters"
    with (draft.folder / deep.data).open() as file:
        rows = list(csv.DictReader(file))
    assert {(row["filter"], row["channel"]) for row in rows} == {
        (str(unit), str(channel)) for unit in (0, 2, 3) for channel in (0, 4, 7, 11)
    }


def test_a_scale_of_each_filter_makes_faint_ones_as_bright(tmp_path):
    draft = draft_of(tmp_path, bounds=Bounds(tiles=96, filters=3, channels=4, scale="filter"))
    found = {tuple(colour) for colour in pixels(draft.folder, draft.blocks[0].image).reshape(-1, 3).tolist()}
    assert (255, 255, 255) in found and (192, 192, 192) not in found
