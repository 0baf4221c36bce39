"""Receptive fields measured by gradient: what the computed ones are held against."""

import torch
import torch.nn.functional as F
from torch import nn

from pipeline.layers.observer import Observer
from pipeline.receptive_field.tracing import trace

ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.SiLU, nn.GELU, nn.Hardswish)


def average_pool(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    return F.avg_pool2d(x, kernel_size, stride, padding, ceil_mode)


def made_positive(network):
    """Make a network's weights positive and its maxima averages, so that no path cancels or hides another."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.uniform_(module.weight, 0.5, 1.0)
            module.weight.data /= module.weight[0].numel()
            if module.bias is not None:
                nn.init.constant_(module.bias, 0.01)
        for name, child in list(module.named_children()):
            if isinstance(child, nn.MaxPool2d):
                setattr(
                    module,
                    name,
                    nn.AvgPool2d(child.kernel_size, child.stride, child.padding, child.ceil_mode),
                )
            elif isinstance(child, ACTIVATIONS):
                setattr(module, name, nn.ReLU())
            elif isinstance(child, nn.LayerNorm):
                # It subtracts a mean, which is where a constant input cancels.
                setattr(module, name, nn.Identity())
    return network.double().eval()


def observed(network, names, size):
    """Return an image that carries gradients and the layers' outputs on it."""
    image = (torch.rand(1, 3, *size, dtype=torch.double) + 0.5).requires_grad_()
    observer = Observer(network, names)
    for step in observer._steps:
        if getattr(step.node.target, "__name__", "") == "max_pool2d":
            object.__setattr__(step, "target", average_pool)
    outputs = {}
    observer.forward(image, lambda name, value: outputs.__setitem__(name, value))
    return image, outputs


def seen(image, neuron):
    """Return first pixel and end (exclusive), y and x, of what a value depends on; None if on nothing."""
    gradient = torch.autograd.grad(neuron.sum(), image, retain_graph=True)[0]
    lines = [gradient.abs().sum(axes).nonzero().flatten() for axes in ((0, 1, 3), (0, 1, 2))]
    if any(len(line) == 0 for line in lines):
        return None
    return tuple(int(line[0]) for line in lines), tuple(int(line[-1]) + 1 for line in lines)


def corners_and_centre(height, width):
    return {(0, 0), (height - 1, width - 1), (height // 2, width // 2), (0, width - 1)}


def disagreements(network, fields, names, size, positions=corners_and_centre):
    """Return (layer, position, computed, measured) wherever a map's receptive field is not what it claims."""
    network = made_positive(network)
    wrong = []
    channels_last = {
        name for name in names if fields[name].status == "exact" and _is_channels_last(network, name)
    }
    image, outputs = observed(network, names, size)
    for name in names:
        value, field = outputs[name], fields[name]
        if value.ndim != 4 or field.status == "unknown":
            continue
        value = value.permute(0, 3, 1, 2) if name in channels_last else value
        for position in sorted(positions(*value.shape[2:])):
            computed, measured = field.seen(position), seen(image, value[:, :, position[0], position[1]])
            if computed != (measured or ((0, 0), (0, 0))) or not _holds(field, position, measured):
                wrong.append((name, position, field, computed, measured))
    return wrong


def _holds(field, position, measured):
    """Check size, stride and start: a side within the image is exact, or else the box encloses all."""
    if measured is None or field.status == "global":
        return field.status == "bound" if measured is None else measured == ((0, 0), field.size)
    for axis in (0, 1):
        start = field.start[axis] + position[axis] * field.stride[axis]
        lines = field.rows if axis == 0 else field.columns
        reach = min(line[0] for line in lines), max(line[1] for line in lines)
        low, high = measured[0][axis], measured[1][axis]
        if start > low or start + field.size[axis] < high:
            return False
        loose = (start < low and start >= reach[0]) or (high < start + field.size[axis] <= reach[1])
        if field.status == "exact" and loose:
            return False
    return True


def _is_channels_last(network, name):
    """Tell whether a node lies between a permutation to channels-last and the one back (ConvNeXt)."""
    traced = trace(network)
    node = traced.node(name)
    while node.all_input_nodes:
        module = traced.module(node)
        if type(module).__name__ == "Permute":
            return list(module.dims) == [0, 2, 3, 1]
        if isinstance(module, nn.Conv2d):
            return False
        node = node.all_input_nodes[0]
    return False
