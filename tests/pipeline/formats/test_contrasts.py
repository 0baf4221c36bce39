import numpy as np

from pipeline.formats.contrasts import VERSION, About, ContrastKind, new_contrasts, open_contrasts
from pipeline.formats.patches import Patches
from pipeline.formats.status import not_run, write_status

KIND = ContrastKind(
    np.array([[0.5, -np.inf]], np.float32), np.array([[4, -1]]), np.ones((1, 2, 2), np.uint16),
    np.ones((1, 2, 4), np.float32),
)  # fmt: skip


def test_contrasts_come_back(tmp_path):
    pixels = np.arange(2 * 3 * 3 * 3, dtype=np.uint8).reshape(1, 2, 3, 3, 3)
    patches = Patches(pixels, pixels[..., 0] % 2, np.ones((1, 2), np.float32))
    about = About(("relu",), 9, 3)
    with new_contrasts(tmp_path / "contrasts.h5", about, made_from={}) as writer:
        writer.put_units("relu", np.array([7]), "input")
        for kind in ("weakest", "random"):
            writer.put_kind("relu", kind, KIND, patches)
    with open_contrasts(tmp_path / "contrasts.h5") as found:
        assert found.about == about
        unit, ranked_by = found.units("relu")
        assert (unit.tolist(), ranked_by) == ([7], "input")
        for name, value in vars(found.kind("relu", "random")).items():
            np.testing.assert_array_equal(value, getattr(KIND, name))
        np.testing.assert_array_equal(found.patches("relu", "weakest", 0).pixels, pixels[0])


def test_a_status_comes_back(tmp_path):
    path = tmp_path / "contrasts.h5"
    write_status(path, not_run("contrasts"), stage="contrasts", version=VERSION)
    with open_contrasts(path) as found:
        assert found == not_run("contrasts")
