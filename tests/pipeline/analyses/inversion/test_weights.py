from torchvision import models

from pipeline.analyses.inversion.weights import PAPER, at_depth
from pipeline.layers.layers import describe_layers


def test_the_weight_of_smoothness_is_that_of_the_same_share_of_alexnet():
    layers = describe_layers(models.get_model("alexnet", weights=None).eval(), 64)
    found = {layer.name: at_depth(PAPER, (place + 1) / len(layers)) for place, layer in enumerate(layers)}
    assert (found["features.0"], found["features.8"], found["classifier.6"]) == PAPER
    assert sorted(found.values()) == list(found.values())
