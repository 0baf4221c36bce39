"""What the nodes of a graph call: modules by their kind, functions and methods by their name."""

from torch import nn
from torch.nn import functional as F

from pipeline.receptive_field.nodes import is_one_of
from pipeline.receptive_field.tracing import trace


class Mixed(nn.Module):
    def __init__(self):
        super().__init__()
        self.act = nn.ReLU()

    def forward(self, x):
        return F.relu(self.act(x)).relu().mean()


def test_modules_are_known_by_kind_and_functions_and_methods_by_name():
    traced = trace(Mixed())
    nodes = [node for node in traced.graph.nodes if node.op.startswith("call")]
    assert [is_one_of(traced, node, (nn.ReLU,), frozenset({"relu"})) for node in nodes] == [1, 1, 1, 0]
    assert [is_one_of(traced, node, (), frozenset({"relu"})) for node in nodes] == [0, 1, 1, 0]
