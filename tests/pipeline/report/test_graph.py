import re

import pytest

from pipeline.report.pages.graph import artifact_graph
from pipeline.report.provenance import Artifact


def _graph(**made_from):
    files = {"activations": "activations/index.h5"}
    return artifact_graph([
        Artifact(files.get(name, f"{name}.h5"), f"stage-{name}", 1, dict.fromkeys(sources, "ab"), {})
        for name, sources in made_from.items()
    ])  # fmt: skip


@pytest.fixture
def graph():
    return _graph(
        manifest=["dataset", "params"], activations=["manifest", "weights", "params"],
        topk=["activations", "manifest", "params"], patches=["topk", "manifest", "weights"], alone=["params"],
    )  # fmt: skip


def test_what_is_made_stands_to_the_right_of_what_it_is_made_from(graph):
    x = {node["name"]: node["x"] for node in graph["nodes"]}
    assert x["dataset"] == x["weights"] == x["alone"] == 0
    assert x["manifest"] < x["activations"] < x["topk"] < x["patches"]
    assert x["patches"] + graph["box"][0] == graph["width"]


def test_what_is_no_artifact_has_no_stage_and_params_are_left_out(graph):
    stages = {node["name"]: node["stage"] for node in graph["nodes"]}
    assert stages["dataset"] == stages["weights"] == ""
    assert stages["activations"] == "stage-activations"
    assert "params" not in stages


def test_a_line_that_a_longer_way_makes_needless_is_not_drawn(graph):
    ends = {(node["x"], node["y"]): node["name"] for node in graph["nodes"]}
    width, height = graph["box"]
    drawn = set()
    for line in graph["lines"]:
        x0, y0, x1, y1 = (
            float(one) for one in re.fullmatch(r"M(\S+) (\S+)C\S+ \S+ \S+ \S+ (\S+) (\S+)", line).groups()
        )
        drawn.add((ends[x0 - width, y0 - height / 2], ends[x1, y1 - height / 2]))
    assert drawn == {
        ("dataset", "manifest"), ("manifest", "activations"), ("weights", "activations"),
        ("activations", "topk"), ("topk", "patches"),
    }  # fmt: skip


def test_no_two_boxes_lie_on_each_other(graph):
    places = [(node["x"], node["y"]) for node in graph["nodes"]]
    assert len(set(places)) == len(places)
    assert all(0 <= y <= graph["height"] - graph["box"][1] for _, y in places)


def test_of_nothing_nothing_is_drawn():
    assert artifact_graph([])["nodes"] == []
