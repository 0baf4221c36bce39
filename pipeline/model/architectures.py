"""The small networks that come with the project: `builtin:letters`, `digits` and `cifar-resnet20`."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn


class Letters(nn.Module):
    """A small CNN for colour images of 64x64 pixels, on the plan of AlexNet (Krizhevsky et al. 2012).

    Large first filters, overlapping pools, two plain convolutions, a dense code; batch normalisation in place
    of local response normalisation, without which it does not train in a minute.

    Parameters
    ----------
    classes
        Number of outputs.
    """

    def __init__(self, classes: int = 26) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *_normalised(3, 24, 9, stride=2), nn.MaxPool2d(3, 2, padding=1),
            *_normalised(24, 48, 5), nn.MaxPool2d(3, 2, padding=1),
            *_normalised(48, 96, 3), *_normalised(96, 48, 3), nn.MaxPool2d(3, 2, padding=1),
        )  # fmt: skip
        self.classifier = nn.Sequential(nn.Linear(48 * 4 * 4, 128), nn.ReLU(), nn.Linear(128, classes))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (n, classes) of images (n, 3, 64, 64)."""
        return self.classifier(self.features(images).flatten(1))


def _normalised(inputs: int, outputs: int, side: int, stride: int = 1) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(inputs, outputs, side, stride, padding=side // 2, bias=False)
    return convolution, nn.BatchNorm2d(outputs), nn.ReLU()


class Digits(nn.Module):
    """A small CNN for images of 32x32 pixels: three convolutions with pooling, one hidden dense layer.

    Parameters
    ----------
    classes
        Number of outputs.
    """

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        )  # fmt: skip
        self.classifier = nn.Sequential(nn.Linear(64 * 4 * 4, 64), nn.ReLU(), nn.Linear(64, classes))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (n, classes) of images (n, 3, 32, 32)."""
        return self.classifier(self.features(images).flatten(1))


class CifarBlock(nn.Module):
    """A basic residual block whose shortcut has no parameters: subsampled by the stride, new channels zero.

    Parameters
    ----------
    inputs, outputs
        Channels.
    stride
        Of the first convolution.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.stride, self.added = stride, outputs - inputs
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps (n, outputs, y / stride, x / stride)."""
        inner = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(maps)))))
        if self.added:
            maps = F.pad(
                maps[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.added // 2, self.added // 2)
            )
        return F.relu(inner + maps)


class CifarResNet(nn.Module):
    """The residual network for CIFAR with 6n + 2 layers (He et al. 2016, section 4.2).

    Parameters
    ----------
    blocks
        Residual blocks in each of the three stages, n.
    classes
        Number of outputs.
    """

    def __init__(self, blocks: int = 3, classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = _stage(16, 16, blocks, stride=1)
        self.layer2 = _stage(16, 32, blocks, stride=2)
        self.layer3 = _stage(32, 64, blocks, stride=2)
        self.linear = nn.Linear(64, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (n, classes) of images (n, 3, 32, 32)."""
        maps = F.relu(self.bn1(self.conv1(images)))
        maps = self.layer3(self.layer2(self.layer1(maps)))
        return self.linear(F.adaptive_avg_pool2d(maps, 1).flatten(1))


def _stage(inputs: int, outputs: int, blocks: int, stride: int) -> nn.Sequential:
    first = CifarBlock(inputs, outputs, stride)
    return nn.Sequential(first, *(CifarBlock(outputs, outputs, 1) for _ in range(blocks - 1)))


def _cifar_resnet20(classes: int) -> nn.Module:
    return CifarResNet(3, classes)


# Name to what builds it from a number of classes, and to its input size (h, w) in pixels.
BUILTIN: dict[str, Callable[[int], nn.Module]] = {
    "letters": Letters, "digits": Digits, "cifar-resnet20": _cifar_resnet20,
}  # fmt: skip
INPUT_SIZE: dict[str, tuple[int, int]] = {
    "letters": (64, 64), "digits": (32, 32), "cifar-resnet20": (32, 32),
}  # fmt: skip
