"""A network known by hand: its score is the red in the left upper quarter, its last map that quarter's."""

import json

import numpy as np
import pytest
from PIL import Image

from pipeline.errors import UserError
from pipeline.formats.occlusion import read_occlusion
from pipeline.formats.probes import Probes, write_probes
from pipeline.formats.status import not_run, write_status
from pipeline.images.preprocess import Preprocessing
from stages import occlusion
from tests.small.artifacts import write_manifest_of
from tests.small.networks import save_networks

INPUT, IMAGES, PROBES = 16, 5, (4, 1, 3)
PREPROCESSING = Preprocessing(input_size=(INPUT, INPUT), crop="center", mean=[0.5] * 3, std=[0.5] * 3)
PARAMS = {
    "run": True, "windows": (4, 8), "stride": 4, "fill": "zero", "probes": 24, "batch_size": 5, "seed": 0,
}  # fmt: skip
SOURCE = f"""
import torch
from torch import nn

def known(classes):
    # Red and blue; the mean of red over the left upper quarter is the score of output 1.
    first = nn.Conv2d(3, 2, 1, bias=False)
    last = nn.Linear(2 * {INPUT**2}, classes)
    with torch.no_grad():
        first.weight.zero_()
        last.weight.zero_()
        last.bias.zero_()
        first.weight[0, 0] = first.weight[1, 2] = 1
        quarter = torch.zeros(2, {INPUT}, {INPUT})
        quarter[0, :8, :8] = 1 / 64
        last.weight[1] = quarter.flatten()
    return nn.Sequential(first, nn.ReLU(), nn.Flatten(), last)

def flat(classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * {INPUT**2}, classes))
"""


def picture(number):
    return np.random.default_rng(int(number)).integers(128, 256, (INPUT, INPUT, 3)).astype(np.uint8)


def normalised(number):
    return np.maximum((picture(number) / 255 - 0.5) / 0.5, 0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("known")
    names = [f"a/{number}.png" for number in range(IMAGES)]
    (folder / "data/a").mkdir(parents=True)
    for number, name in enumerate(names):
        Image.fromarray(picture(number)).save(folder / "data" / name)
    write_manifest_of(folder / "manifest.h5", folder / "data", names)
    save_networks(folder, SOURCE, ("known", "flat"), PREPROCESSING)
    write_labelled(folder / "probes.h5", [0, 1, -1])
    return folder


def write_labelled(path, labels):
    names = tuple(f"a/{number}.png" for number in PROBES)
    zeros = np.zeros(3, np.int32)
    probes = Probes(
        np.array(PROBES), names, ("train",) * 3, np.array(labels, np.int32), zeros, np.ones(3, np.float32),
        np.zeros(3, np.bool_), "",
    )  # fmt: skip
    write_probes(path, probes, np.stack([picture(number) for number in PROBES]), made_from={})


@pytest.fixture
def paths(folder, tmp_path):
    paths = {name: folder / f"{name}.h5" for name in ("manifest", "probes")} | {"weights": folder / "known"}
    return paths | {"out": tmp_path / "occlusion.h5", "metrics": tmp_path / "occlusion.json"}


def run(paths, **changed):
    occlusion.run(occlusion.Params(**PARAMS | changed), paths)
    return read_occlusion(paths["out"])


def test_score_falls_by_what_was_covered(paths):
    found = run(paths)
    assert [one.window for one in found.sizes] == [4, 8]
    for size in found.sizes:
        for place, number in enumerate(PROBES):
            for i, j in np.ndindex(len(size.y), len(size.x)):
                red, y, x = normalised(number)[..., 0], int(size.y[i]), int(size.x[j])
                red[y : y + size.window, x : x + size.window] = 0
                score = red[:8, :8].mean() if found.whole.output[place] == 1 else 0
                assert size.score[place, i, j] == pytest.approx(score, abs=1e-5)


def test_class_is_the_label_s_or_the_predicted_one(paths):
    whole = run(paths).whole
    assert whole.image_id.tolist() == list(PROBES)
    assert whole.output.tolist() == [0, 1, 1] and whole.by_label.tolist() == [True, True, False]
    share = 1 / (1 + np.exp(-normalised(PROBES[1])[:8, :8, 0].mean()))
    assert whole.probability[1] == pytest.approx(share, rel=1e-5)


def test_strongest_map_is_followed(paths):
    found = run(paths)
    assert found.about.layer == "1"
    for place, number in enumerate(PROBES):
        image = normalised(number)
        totals = image[..., [0, 2]].sum((0, 1))
        unit = int(totals.argmax())
        assert found.whole.unit[place] == unit
        size = found.sizes[0]
        covered = image[..., 2 * unit].copy()
        covered[4:8, 8:12] = 0
        assert size.activation[place, 1, 2] == pytest.approx(covered.sum(), rel=1e-5)


@pytest.mark.parametrize("fill", ["mean", "blur", "noise"])
def test_other_fills_cover_the_same_places(paths, fill):
    plain, other = run(paths).sizes[0], run(paths, fill=fill).sizes[0]
    assert (plain.score[1, :2, :2] != other.score[1, :2, :2]).all()
    # What lies beside the quarter changes nothing, whatever it is.
    np.testing.assert_allclose(other.score[1, 2:], run(paths).whole.score[1], rtol=1e-6)


@pytest.mark.parametrize("fill", ["zero", "noise"])
def test_equal_inputs_give_equal_bytes_whatever_the_workers(paths, monkeypatch, fill):
    contents = []
    for workers in ("1", "3"):
        monkeypatch.setenv("CONVATLAS_WORKERS", workers)
        run(paths, fill=fill)
        contents.append(paths["out"].read_bytes())
    assert contents[0] == contents[1]


def test_noise_follows_the_seed(paths):
    assert (run(paths, fill="noise").sizes[0].score != run(paths, fill="noise", seed=1).sizes[0].score).any()


def test_without_a_convolution_there_is_no_activation(paths, folder):
    found = run(paths | {"weights": folder / "flat"})
    assert found.about.layer == "" and (found.whole.unit == -1).all()
    assert np.isnan(found.whole.activation).all() and np.isnan(found.sizes[0].activation).all()
    assert np.isfinite(found.sizes[0].probability).all()


def test_of_more_probes_the_first_and_one_may_be_gone(paths, folder):
    assert run(paths, probes=1).whole.image_id.tolist() == [4]
    file = folder / "data/a/1.png"
    content = file.read_bytes()
    try:
        file.unlink()
        assert run(paths).whole.image_id.tolist() == [4, 3]
    finally:
        file.write_bytes(content)


def test_without_any_image_it_ends_in_one_line(paths, folder):
    for number in PROBES:
        (folder / f"data/a/{number}.png").rename(folder / f"data/a/{number}.gone")
    try:
        with pytest.raises(UserError, match="none of 3 probes can be read any more"):
            run(paths)
    finally:
        for number in PROBES:
            (folder / f"data/a/{number}.gone").rename(folder / f"data/a/{number}.png")


def test_cost_is_said_first(paths, caplog):
    with caplog.at_level("INFO"):
        run(paths)
    assert "3 probes, squares of 4 and 8 pixels at 16 and 9 places: 75 inputs to forward" in caplog.text


def test_metrics_count_what_changes(paths):
    found = run(paths)
    numbers = json.loads(paths["metrics"].read_text())
    changed = (found.sizes[1].predicted != found.whole.predicted[:, None, None]).any((1, 2)).sum()
    assert numbers["images"] == 3 and numbers["8"]["changed"] == changed


def test_left_out_or_without_probes_it_says_so(paths, tmp_path):
    assert run(paths, run=False) == not_run("occlusion")
    write_status(tmp_path / "probes.h5", not_run("probes"), stage="probes", version=1)
    assert run(paths | {"probes": tmp_path / "probes.h5"}) == not_run("probes")
