import json

import numpy as np
from PIL import Image

from pipeline.figures.trials import BEGIN, SCRIPT, Asked, save_trials


def patch(shade, side=8):
    return np.full((side, side, 3), shade, np.uint8)


def asked(count=2, nine=9):
    return [
        Asked("conv1", unit, (f"left{unit}.png", f"right{unit}.png"),
              [patch(10 * place) for place in range(nine)], [patch(200), patch(100 + unit)])
        for unit in range(count)
    ]  # fmt: skip


def saved(folder, questions, network="00ff"):
    script, pictures = save_trials(folder, questions, network)
    return json.loads((folder / script).read_text().removeprefix(BEGIN).rstrip(";\n")), pictures


def test_pictures_are_what_is_asked_about(tmp_path):
    source, pictures = saved(tmp_path, asked())
    assert source["network"] == "00ff" and len(source["trials"]) == 2
    one = source["trials"][1]
    assert (one["layer"], one["unit"], one["left"], one["right"]) == ("conv1", 1, "left1.png", "right1.png")
    for side, shade in (("left", 200), ("right", 101)):
        picture = Image.open(tmp_path / one["pictures"][side]).convert("RGB")
        assert picture.size == (96, 96) and abs(picture.getpixel((50, 50))[0] - shade) <= 2
    nine = Image.open(tmp_path / one["pictures"]["nine"]).convert("RGB")
    assert nine.size == (296, 296)
    assert [nine.getpixel((48 + 100 * x, 48 + 100 * y))[0] // 5 * 5 for y in range(3) for x in range(3)] == [
        10 * place for place in range(9)
    ]
    assert sorted(pictures) == sorted(path.name for path in tmp_path.glob("*.webp"))


def test_fewer_than_nine_fill_lines_of_three(tmp_path):
    source, _ = saved(tmp_path, asked(1, nine=2))
    assert Image.open(tmp_path / source["trials"][0]["pictures"]["nine"]).size == (196, 96)


def test_what_stands_on_the_page_does_not_say_which_is_stronger(tmp_path):
    source, pictures = saved(tmp_path, asked())
    assert set(source) == {"id", "network", "trials"}
    assert {frozenset(one) for one in source["trials"]} == {
        frozenset({"layer", "unit", "left", "right", "pictures"})
    }
    assert pictures[:3] == ["trial-0000-nine.webp", "trial-0000-left.webp", "trial-0000-right.webp"]
    assert "strong" not in (tmp_path / SCRIPT).read_text()


def test_other_questions_are_another_task(tmp_path):
    first = saved(tmp_path, asked())[0]["id"]
    assert saved(tmp_path, asked())[0]["id"] == first
    assert saved(tmp_path, asked(1))[0]["id"] != first
    assert saved(tmp_path, asked(), "ff00")[0]["id"] != first
