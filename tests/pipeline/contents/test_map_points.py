import numpy as np
import pytest

from pipeline.contents import map_points
from pipeline.contents.map_points import Level, MapPoints, read_map_points, value_range, write_map_points
from pipeline.errors import UserError

LEVELS = [Level(files=["atlas-8-000.webp"], columns=4, rows=4, tile=8)]


def points(count=12, classes=3, name="class/{}.png", **changes):
    rng = np.random.default_rng(0)
    values = dict(
        x=rng.random(count), y=rng.random(count), cell=rng.integers(0, 300, (count, 2)), grid=(300, 300),
        label=rng.integers(-1, classes, count), predicted=rng.integers(0, classes, count),
        classes=[f"c{k}" for k in range(classes)], colours=["#000000"] * classes,
        path=[name.format(k) for k in range(count)], image_id=rng.permutation(count) * 1000, levels=LEVELS,
    )  # fmt: skip
    return MapPoints(**values | changes)


@pytest.mark.parametrize("classes", [3, 255, 256, 1000])
def test_points_come_back(tmp_path, classes):
    written = points(400, classes, name="ü<script>/{}.png", without_output=[0, 2])
    scripts, data = write_map_points(tmp_path, written)
    assert (scripts, data) == (["points.js", "paths-000.js"], [])
    found = read_map_points(tmp_path)
    for name in ("x", "y"):
        np.testing.assert_allclose(getattr(found, name), getattr(written, name), atol=1 / 65535)
    for name in ("cell", "label", "predicted", "image_id"):
        np.testing.assert_array_equal(getattr(found, name), getattr(written, name))
    for name in ("grid", "classes", "path", "levels", "colours", "without_output"):
        assert getattr(found, name) == getattr(written, name)


@pytest.mark.parametrize("count", [12, 255, 256, 65_535, 65_536])
def test_the_nearest_come_back(tmp_path, monkeypatch, count):
    monkeypatch.setattr(map_points, "PATHS_BYTES", 500_000 if count > 1000 else 400)
    near = np.random.default_rng(0).integers(-1, count, (count, 3))
    near[0] = (-1, 0, count - 1)
    written = points(count, near=near)
    scripts, data = write_map_points(tmp_path, written)
    found = read_map_points(tmp_path)
    np.testing.assert_array_equal(found.near, near)
    paths = [name for name, _ in found.runs]
    assert len(found.near_runs) == len(paths) > 1 or count == 12
    assert {*scripts, *data} == {"points.js", *(f"{name}.js" for name in (*paths, *found.near_runs))}


def test_the_nearest_of_fifty_thousand_take_few_bytes_in_scripts_of_200_kb(tmp_path):
    near = np.random.default_rng(0).integers(0, 50_000, (50_000, 8))
    write_map_points(made(tmp_path, "without"), points(50_000, 1000, name="{}"))
    write_map_points(made(tmp_path, "with"), points(50_000, 1000, name="{}", near=near))
    sizes = [[one.stat().st_size for one in (tmp_path / name).glob("*-*.js")] for name in ("without", "with")]
    assert sum(sizes[1]) - sum(sizes[0]) < 22 * 50_000
    assert max(sizes[1]) < 200_000


def made(folder, name):
    (folder / name).mkdir()
    return folder / name


def test_many_paths_lie_in_scripts_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr(map_points, "PATHS_BYTES", 100)
    written = points(50)
    scripts, data = write_map_points(tmp_path, written)
    assert scripts == ["points.js"]
    assert data == [f"paths-{number:03}.js" for number in range(len(data))]
    assert all((tmp_path / name).stat().st_size < 200 for name in data)
    assert read_map_points(tmp_path).path == written.path


def test_fifty_thousand_points_are_less_than_a_megabyte_at_first(tmp_path):
    scripts, _ = write_map_points(tmp_path, points(50_000, 1000))
    assert sum((tmp_path / name).stat().st_size for name in scripts) < 850_000


def test_a_scale_ends_where_few_values_lie_beyond():
    values = np.array([*range(1001), np.nan, np.nan], float)
    assert value_range(values) == (10, 990)
    assert value_range(np.array([np.nan])) == (0, 0)


@pytest.mark.parametrize("damage", ["nothing", "window.CONVATLAS_MAP = {};", ""])
def test_a_damaged_script_is_named(tmp_path, damage):
    write_map_points(tmp_path, points())
    (tmp_path / "points.js").write_text(damage)
    with pytest.raises(UserError, match=r"points\.js: holds no points of a map"):
        read_map_points(tmp_path)
