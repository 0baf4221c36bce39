"""The receptive fields of a network's layers, as a table.

python -m pipeline.receptive_field torchvision:alexnet --input 224
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import UserError
from pipeline.model.building import build_network
from pipeline.numerics.geometry import Pair, ReceptiveField
from pipeline.receptive_field.fields import pair, receptive_fields


def table(fields: dict[str, ReceptiveField]) -> str:
    """Return receptive fields as lines of text, a layer each; one number stands for two equal ones.

    The reason of what is unknown ends its line.
    """
    heads = ("layer", "size", "stride", "start", "status")
    reasons = any(item.reason for item in fields.values())
    rows: list[tuple[str, ...]] = [(*heads, "reason" if reasons else "")]
    rows += [
        (name, *map(_short, (item.size, item.stride, item.start)), item.status, item.reason)
        for name, item in fields.items()
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    # Names and statuses begin their columns, numbers end theirs.
    lines = [
        [
            cell.rjust(n) if 0 < i < 4 else cell.ljust(n)
            for i, (cell, n) in enumerate(zip(row, widths, strict=True))
        ]
        for row in rows
    ]
    return "\n".join("  ".join(line).rstrip() for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; see the module's docstring."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("architecture", help="torchvision:<name>, builtin:<name> or <path>.py:<factory>")
    parser.add_argument(
        "--input", default="224", metavar="SIZE", help="pixels: 224, or height x width: 224x320"
    )
    parser.add_argument(
        "--channels", type=int, choices=(1, 3), help="of the input; by default those of the first convolution"
    )
    parser.add_argument("--inputs", type=Path, default=Path("inputs"), help="folder of the user's files")
    options = parser.parse_args(arguments)
    try:
        network = build_network(options.architecture, None, options.inputs)
        print(table(receptive_fields(network, _size(options.input), options.channels)))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _short(value: Pair) -> str:
    return str(value[0]) if value[0] == value[1] else f"{value[0]}x{value[1]}"


def _size(text: str) -> Pair:
    numbers = text.lower().split("x")
    if len(numbers) > 2 or not all(number.isdigit() for number in numbers):
        raise UserError(f"--input must be a number of pixels or <height>x<width>, got '{text}'")
    return pair((int(numbers[0]), int(numbers[-1])))


if __name__ == "__main__":
    raise SystemExit(main())
