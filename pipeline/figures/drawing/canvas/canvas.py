"""The drawing itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from PIL import Image

from pipeline.figures.drawing.canvas.elements import Element
from pipeline.figures.drawing.canvas.painting import paint
from pipeline.figures.drawing.canvas.pdf import write_pdf
from pipeline.figures.drawing.canvas.svg import svg
from pipeline.figures.drawing.webp import save_webp


class Drawn(TypedDict):
    """The forms of a drawing, as `pipeline.contents.blocks.Figure` takes them; sizes are pixels."""

    image: str
    vector: str
    pdf: str
    width: int
    height: int


@dataclass
class Canvas:
    """A drawing `width` by `height` pixels; elements lie over each other in their order."""

    width: int
    height: int
    elements: list[Element] = field(default_factory=list)

    def draw(self, *elements: Element) -> None:
        """Lay elements on top."""
        self.elements.extend(elements)

    def image(self) -> Image.Image:
        """Return the drawing as an RGBA image."""
        return paint(self.width, self.height, self.elements)

    def save(self, folder: Path, name: str) -> Drawn:
        """Write the drawing as WebP, as SVG and as PDF; `name` is the files' stem."""
        found = Drawn(
            image=f"{name}.webp", vector=f"{name}.svg", pdf=f"{name}.pdf", width=self.width,
            height=self.height,
        )  # fmt: skip
        self.save_webp(folder / found["image"])
        self.save_svg(folder / found["vector"])
        self.save_pdf(folder / found["pdf"])
        return found

    def save_webp(self, path: Path) -> None:
        """Write the drawing as WebP."""
        save_webp(path, self.image())

    def save_svg(self, path: Path) -> None:
        """Write the drawing as SVG: pictures embedded, text as text, lines as lines."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(svg(self.width, self.height, self.elements), encoding="utf-8")

    def save_pdf(self, path: Path) -> None:
        """Write the drawing as PDF on white: pictures embedded, text as text, lines as lines."""
        write_pdf(path, self.width, self.height, self.elements)
