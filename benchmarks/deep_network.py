"""A network of 32 layers of 64 units, which `benchmarks.deep` brings to its project."""

from torch import Tensor, nn

UNITS, CLASSES = 64, 1000
# Layers at 16, 8 and 4 pixels: the early ones cost most.
LAYERS = (8, 12, 12)


class Layer(nn.Module):
    """Adds a little to what it is given, so that a network of any depth keeps what images differ in."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(UNITS, UNITS, 3, padding=1)
        self.relu = nn.ReLU()

    def forward(self, maps: Tensor) -> Tensor:
        """Add what is new to what came in, (images, 64, height, width)."""
        return maps + 0.3 * self.relu(self.conv(maps))


def build() -> nn.Sequential:
    """Return it for images of 32 x 32 pixels, its weights random; the classifier comes last."""
    parts: list[nn.Module] = [nn.Conv2d(3, UNITS, 3, stride=2, padding=1)]
    for count in LAYERS:
        parts += [*(Layer() for _ in range(count)), nn.AvgPool2d(2)]
    return nn.Sequential(*parts[:-1], nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(UNITS, CLASSES))
