import numpy as np
import pytest
import torch
from torch import nn

from pipeline.analyses.projections.signals import Neurons, project
from pipeline.layers.running import Runner

RULES = ("deconvnet", "guided_backprop")


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 5, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(45, 4), nn.ReLU()
    ).eval()


INPUTS = np.random.default_rng(0).normal(size=(3, 3, 8, 8)).astype(np.float32)


def first(place, count):
    return 0


@pytest.mark.parametrize("layer", ["1", "5"])
def test_signals_are_of_the_neuron_and_of_another_active_one_at_its_place(network, layer):
    runner = Runner(network, [layer], until=layer)
    maps = runner.run(INPUTS).layers[layer].numpy()
    position = np.array([[0, 1], [2, 2], [5, 0]]) if layer == "1" else np.zeros((3, 2), int)
    columns = maps[np.arange(3), :, *position.T] if layer == "1" else maps
    unit = columns.argmax(1)
    found = project(runner, INPUTS, Neurons(layer, unit, position), RULES, first)
    for image in range(3):
        active = [one for one in np.flatnonzero(columns[image] > 0) if one != unit[image]]
        assert found.other[image] == (active[0] if active else -1)
        for rule in RULES:
            for shown, of in ((found.own, unit[image]), (found.others, found.other[image])):
                expected = np.zeros_like(INPUTS[0])
                if of >= 0:
                    where = (slice(None), of, *position[image]) if layer == "1" else (slice(None), of)
                    score = lambda outputs, where=where: outputs.layers[layer][where]  # noqa: E731
                    expected = runner.gradient(INPUTS[image : image + 1], score, rule=rule).value[0].numpy()
                np.testing.assert_allclose(shown[rule][image], expected, atol=1e-6)


def test_lots_are_drawn_among_the_active_ones(network):
    runner, drawn = Runner(network, ["1"], until="1"), []

    def last(place, count):
        drawn.append((place, count))
        return count - 1

    columns = runner.run(INPUTS).layers["1"][:, :, 3, 3].numpy()
    found = project(runner, INPUTS, Neurons("1", np.zeros(3, int), np.full((3, 2), 3)), RULES, last)
    candidates = [np.flatnonzero(column[1:] > 0) + 1 for column in columns]
    assert found.other.tolist() == [one[-1] if len(one) else -1 for one in candidates]
    assert drawn == [(place, len(one)) for place, one in enumerate(candidates) if len(one)]


def test_where_no_other_unit_is_active_there_is_none(network):
    with torch.no_grad():
        network[0].weight[1:] = 0
        network[0].bias[1:] = -1
        network[0].bias[0] = 9
    runner = Runner(network, ["1"], until="1")
    found = project(runner, INPUTS, Neurons("1", np.zeros(3, int), np.zeros((3, 2), int)), RULES, first)
    assert found.other.tolist() == [-1] * 3
    assert not found.others["deconvnet"].any() and found.own["deconvnet"].any()
