from collections import OrderedDict

import pytest
import torch

from pipeline.errors import UserError
from pipeline.model.outputs import logits_of

LOGITS, OTHER = torch.zeros(2, 5), torch.ones(2, 7)


@pytest.mark.parametrize(
    "output",
    [LOGITS, (LOGITS, OTHER), [LOGITS], {"out": LOGITS, "aux": OTHER}, OrderedDict(loss=None, logits=LOGITS)],
)
def test_first_tensor_is_the_logits(output):
    assert logits_of(output) is LOGITS


def test_what_is_called_logits_is_taken_though_features_come_first():
    assert logits_of({"features": OTHER, "logits": LOGITS}) is LOGITS


@pytest.mark.parametrize("output", [None, (), {"logits": 3}, "text"])
def test_output_without_a_tensor(output):
    with pytest.raises(UserError, match=f"must return a tensor of logits.*got {type(output).__name__}"):
        logits_of(output)
