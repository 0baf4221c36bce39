"""The block topk beside the block extract."""

from types import SimpleNamespace

import pytest

from pipeline.errors import UserError
from stages.blocks import topk


@pytest.mark.parametrize(
    ("precision", "candidates", "refused"),
    [("bfloat16", 6, True), ("bfloat16", 7, False), ("bfloat16", 0, False), ("float32", 6, False)],
)
def test_too_few_candidates_are_refused_before_anything_runs(precision, candidates, refused):
    blocks = {
        "extract": SimpleNamespace(precision=precision, candidates=candidates),
        "topk": topk.Params(k=4, margin=3),
    }
    if not refused:
        topk.check(blocks, None)
        return
    with pytest.raises(UserError, match=r"extract.candidates is 6, but topk.k \+ topk.margin is 7"):
        topk.check(blocks, None)
