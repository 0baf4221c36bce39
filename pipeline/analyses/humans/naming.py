"""The images and classes that people's answers may name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from pipeline.errors import some

# An answer that names no class; it counts as wrong.
NONE = "none"
NONE_TOO = frozenset({NONE, "none of these", "none_of_these"})


class Names:
    """Finds images and classes by what a CSV calls them.

    Parameters
    ----------
    paths
        Of the images, in the manifest's order; None where they are not known yet: then any will do.
    classes
        The dataset's; None where they are not known yet.
    called
        What people call each class, where that differs.
    """

    def __init__(
        self, paths: Sequence[str] | None, classes: Sequence[str] | None, called: Sequence[str] = ()
    ) -> None:
        self.classes = None if classes is None else tuple(classes)
        self._paths = None if paths is None else tuple(paths)
        self._known = frozenset(paths or ())
        folded = [*zip(map(fold, called), classes or (), strict=False)]
        self._class = {**dict(folded), **{fold(name): name for name in classes or ()}}
        self._class |= {name: name for name in classes or ()}

    def image(self, text: str) -> str | None:
        """Return the path of the image that a text names; None if there is none.

        It names an image by its path, by the end of its path where no other image's ends so, or by its row in
        the manifest.
        """
        path = text.removeprefix("./")
        if self._paths is None or path in self._known:
            return path
        slashes = path.replace("\\", "/")
        if slashes in self._known:
            return slashes
        if found := self._ends.get(slashes):
            return found
        is_row = path.isascii() and path.isdigit() and len(path) < 10 and int(path) < len(self._paths)
        return self._paths[int(path)] if is_row else None

    @cached_property
    def _ends(self) -> dict[str, str]:
        """Lead from the end of a path, whole folders, to the path; to nothing where several end so."""
        ends: dict[str, str] = {}
        for path in self._paths or ():
            _, *parts = path.split("/")
            for at in range(len(parts)):
                end = "/".join(parts[at:])
                ends[end] = "" if end in ends else path
        return ends

    def label(self, text: str) -> str | None:
        """Return the class that a text names, "" for none of them; None if it names nothing."""
        if self.classes is None:
            return "" if fold(text) in NONE_TOO else text
        known = self._class.get(text, self._class.get(fold(text)))
        return "" if known is None and fold(text) in NONE_TOO else known

    def nearby(self) -> str:
        """Return the first classes, for messages."""
        return some(self.classes or ())


def fold(name: str) -> str:
    """Return a name as it is compared: upper and lower case, spaces, - and _ do not count."""
    return name.casefold().replace("-", " ").replace("_", " ").strip()
