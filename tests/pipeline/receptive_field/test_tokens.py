"""Tokens and attention: what is global, what is bound, and what is not claimed."""

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import nn
from torchvision.models.swin_transformer import PatchMerging, ShiftedWindowAttention

from pipeline.receptive_field.fields import receptive_fields

SIZE = (16, 24)
CHANNELS = 8


class Tokens(nn.Module):
    """Patches as tokens, then any function of them."""

    def __init__(self, function, *modules):
        super().__init__()
        self.patches, self.rest = nn.Conv2d(3, CHANNELS, 4, 4), nn.ModuleList(modules)
        self.function = function
        self.qkv = nn.Linear(CHANNELS, 3 * CHANNELS)
        self.first = nn.Parameter(torch.zeros(1, 1, CHANNELS))

    def forward(self, x):
        return self.function(self, self.patches(x).flatten(2).transpose(1, 2))

    def heads(self, x):
        n, tokens, c = x.shape
        return self.qkv(x).reshape(n, tokens, 3, 2, c // 2).permute(2, 0, 3, 1, 4)


def by_products(net, x):
    q, k, v = net.heads(x).unbind(0)
    weights = (q * 0.5 @ k.transpose(-2, -1)).softmax(dim=-1)
    return (weights @ v).transpose(1, 2).reshape(x.shape)


def by_einstein(net, x):
    heads = net.heads(x)
    weights = torch.einsum("bhid,bhjd->bhij", heads[0], heads[1]).softmax(-1)
    return torch.einsum("bhij,bhjd->bihd", weights, heads[2]).flatten(2)


def by_one_function(net, x):
    q, k, v = net.heads(x)
    return F.scaled_dot_product_attention(q, k, v)


def after_a_class_token(net, x):
    x = torch.cat([net.first.expand(x.shape[0], -1, -1), x], 1)
    return by_products(net, x)[:, 0]


def tokens_first(net, x):
    x = x.permute(1, 0, 2)
    return net.rest[0](x, x, x)[0].permute(1, 0, 2)


BY_BATCH = {"batch_first": True}
GLOBAL = {
    "products": Tokens(by_products),
    "Einstein's notation": Tokens(by_einstein),
    "one function": Tokens(by_one_function),
    "class token": Tokens(after_a_class_token),
    "module": Tokens(lambda n, x: n.rest[0](x, x, x)[0], nn.MultiheadAttention(CHANNELS, 2, **BY_BATCH)),
    "module, tokens first": Tokens(tokens_first, nn.MultiheadAttention(CHANNELS, 2)),
    "encoder": Tokens(lambda n, x: n.rest[0](x), nn.TransformerEncoderLayer(CHANNELS, 2, **BY_BATCH)),
}  # fmt: skip


@pytest.mark.parametrize("name", GLOBAL)
def test_attention_sees_everything(name):
    fields = list(receptive_fields(GLOBAL[name].eval(), SIZE).values())
    assert fields[-1].status == "global"
    assert {field.status for field in fields[:3]} == {"exact", "bound"}, "patches, and what is done to each"


def masked(net, x):
    q, k, v = net.heads(x)
    return F.scaled_dot_product_attention(q, k, v, torch.eye(x.shape[1], dtype=torch.bool))


def masked_sum(net, x):
    q, k, _ = net.heads(x)
    hidden = torch.full((x.shape[1],) * 2, -1e9).triu(1)
    return (q @ k.transpose(-2, -1) + hidden).softmax(-1)


@pytest.mark.parametrize(
    "function",
    [
        masked, masked_sum, lambda n, x: F.scaled_dot_product_attention(*n.heads(x), is_causal=True),
        lambda n, x: x.reshape(-1, CHANNELS), lambda n, x: x.reshape(x.shape[0] * 2, -1, CHANNELS),
    ],
    ids=["mask", "sum", "causal", "images joined", "images divided"],
)  # fmt: skip
def test_what_may_hide_tokens_is_not_claimed_to_see_everything(function):
    last = list(receptive_fields(Tokens(function).eval(), SIZE).values())[-1]
    assert last.status == "unknown"
    assert last.reason.startswith("no rule for ")


def test_tokens_that_become_a_map_again_are_exact():
    def back(net, x):
        n, _, c = x.shape
        return net.rest[0](x.transpose(1, 2).reshape(n, c, 4, 6))

    fields = receptive_fields(Tokens(back, nn.Conv2d(CHANNELS, 2, 3, padding=1)).eval(), SIZE)
    last = fields["rest.0"]
    assert (last.size, last.stride, last.start, last.status) == ((12, 12), (4, 4), (-4, -4), "exact")


def test_tokens_in_another_order_are_not_a_map():
    def turned(_, x):
        return x.reshape(1, 6, 4, CHANNELS)

    assert list(receptive_fields(Tokens(turned).eval(), SIZE).values())[-1].status == "unknown"


class Windowed(nn.Module):
    """Swin's parts on patches of 2 pixels, channels last."""

    def __init__(self, shift, *more):
        super().__init__()
        self.patches = nn.Conv2d(3, 4, 2, 2)
        self.attention = ShiftedWindowAttention(4, [3, 4], shift, 2)
        self.more = nn.Sequential(*more)

    def forward(self, x):
        x = self.patches(x).permute(0, 2, 3, 1)
        return self.more(x + self.attention(x)).permute(0, 3, 1, 2)


@pytest.mark.parametrize("shift", [[0, 0], [1, 2], [0, 2]])
@pytest.mark.parametrize("size", [(12, 16), (14, 22), (6, 24)])
def test_windows_agree_with_the_gradient(shift, size):
    torch.manual_seed(0)
    network = Windowed(shift, PatchMerging(4, lambda width: nn.Identity())).double().eval()
    for parameter in network.parameters():
        nn.init.uniform_(parameter, 0.005, 0.01)
    field = list(receptive_fields(network, size).values())[-1]
    assert field.status == "bound" and not field.reason
    image = torch.rand(1, 3, *size, dtype=torch.double, requires_grad=True)
    result = network(image)
    for y in range(result.shape[2]):
        for x in range(result.shape[3]):
            gradient = torch.autograd.grad(result[:, :, y, x].sum(), image, retain_graph=True)[0].abs()
            # What the mask hides has a weight of e^-100.
            seen = [(gradient.sum(axes) > 1e-20).nonzero().flatten() for axes in ((0, 1, 3), (0, 1, 2))]
            expected = tuple((int(line[0]), int(line[-1]) + 1) for line in seen)
            assert (field.rows[y], field.columns[x]) == expected


@pytest.mark.parametrize("name", ["vit_b_16", "swin_t"])
def test_no_part_of_torchvisions_transformers_is_unknown(name):
    with torch.device("meta"):
        network = torchvision.models.get_model(name, weights=None).eval()
    fields = list(receptive_fields(network, 224).values())
    assert {field.status for field in fields} == {"exact", "bound", "global"}
    assert fields[0].status == "exact" and fields[-1].status == "global"
