import pytest

from pipeline.weights.saved import saved_checkpoints


def files(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def listed(folder, **given):
    return [(one.name, one.epoch) for one in saved_checkpoints(folder, folder, **given)]


def test_numbers_are_compared_as_numbers_and_are_the_epochs(tmp_path):
    files(tmp_path, "net18-epoch-10.pth", "net18-epoch-0.pth", "net18-epoch-2.pth", ".gitkeep")
    assert listed(tmp_path, trained_here=False) == [
        ("net18-epoch-0", 0), ("net18-epoch-2", 2), ("net18-epoch-10", 10),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "epoch"),
    [("epoch-0000.pth", 0), ("init0.safetensors", 0), ("epoch-3.pth", None), ("net18-0.pth", None)],
)
def test_one_file_alone_is_of_before_training_if_its_only_number_is_0(tmp_path, name, epoch):
    files(tmp_path, name)
    assert [found for _, found in listed(tmp_path, trained_here=False)] == [epoch]


def test_names_that_differ_in_more_than_a_number_have_no_epochs(tmp_path):
    files(tmp_path / "a", "best.pth", "epoch-1.pth")
    files(tmp_path / "b", "epoch-1-loss-3.pth", "epoch-2-loss-1.pth")
    files(tmp_path / "c", "resnet18.pth")
    files(tmp_path / "d", "epoch-1.pth", "epoch-01.pth")
    for name in "abcd":
        assert {epoch for _, epoch in listed(tmp_path / name, trained_here=False)} == {None}


def test_of_a_training_here_its_own_are_taken(tmp_path):
    files(tmp_path, "epoch-5.pth", "model.safetensors")
    files(tmp_path / "checkpoints", "epoch-0000.safetensors", "epoch-0012.safetensors")
    found = [("epoch-0000", 0), ("epoch-0012", 12)]
    assert listed(tmp_path, trained_here=True) == found
    assert not saved_checkpoints(tmp_path, tmp_path / "none", trained_here=False)
