"""What the neurons of a layer see of the network's input."""

from dataclasses import dataclass, field

Pair = tuple[int, int]

EXACT, BOUND, GLOBAL, UNKNOWN = "exact", "bound", "global", "unknown"


@dataclass(frozen=True)
class ReceptiveField:
    """What the neurons of a layer see; all pairs are (y, x), in pixels of the network input.

    Attributes
    ----------
    size, stride, start
        Neuron p covers `start + p * stride` to `start + p * stride + size` (end exclusive); that may leave
        the image.
    status
        "exact": that is what each neuron sees, but for what lies outside the image or was cut off by padding.
        "bound": no neuron sees more. "global": every neuron sees the whole image (global pooling,
        squeeze-and-excitation, a dense layer), but for a border that no stride reaches. "unknown": not
        known; the box is the whole image.
    rows, columns
        First pixel and end (exclusive) of what the neurons in each row and column of the map see, to the
        pixel, borders included; (0, 0) if nothing. Empty where every neuron sees, or may see, the whole
        image, and in a receptive field that was read from a file.
    reason
        Why it is "unknown"; else empty, as in one that was read from a file.
    """

    size: Pair
    stride: Pair
    start: Pair
    status: str
    rows: tuple[Pair, ...] = field(default=(), compare=False, repr=False)
    columns: tuple[Pair, ...] = field(default=(), compare=False, repr=False)
    reason: str = field(default="", compare=False, repr=False)

    @property
    def is_whole(self) -> bool:
        """Whether every neuron sees the whole image, or may."""
        return self.status in (GLOBAL, UNKNOWN)

    def exceeds(self, input_size: Pair) -> bool:
        """Tell whether it is larger than the network's input (height, width) both ways."""
        return self.size[0] > input_size[0] and self.size[1] > input_size[1]

    def seen(self, position: Pair) -> tuple[Pair, Pair]:
        """Return first pixel and end (exclusive), each y and x, of what one neuron sees.

        Where `rows` and `columns` are known, to the pixel, and zeros if it sees nothing; else the box of
        size, stride and start, which may leave the image.
        """
        if not self.rows:
            top, left = (self.start[axis] + position[axis] * self.stride[axis] for axis in (0, 1))
            return (top, left), (top + self.size[0], left + self.size[1])
        (top, bottom), (left, right) = self.rows[position[0]], self.columns[position[1]]
        return ((top, left), (bottom, right)) if top < bottom and left < right else ((0, 0), (0, 0))


def whole(input_size: Pair, status: str, reason: str = "") -> ReceptiveField:
    """Return the receptive field of neurons that see, or may see, the whole image."""
    return ReceptiveField(input_size, (0, 0), (0, 0), status, reason=reason)
