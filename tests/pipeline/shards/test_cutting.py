import random

import pytest

from pipeline.shards.cutting import Rows, cut, shard_key
from pipeline.shards.pool import ShardPool


def names(count, seed=0):
    rng = random.Random(seed)
    return sorted(f"{rng.randrange(10)}/{rng.random():.9f}.png" for _ in range(count))


def contents(paths, cuts):
    return {tuple(paths[part.start : part.stop]) for part in cuts}


def test_cuts_cover_every_row_once():
    paths = names(1000)
    cuts = cut(paths, mean=40, largest=100)
    assert [row for part in cuts for row in range(part.start, part.stop)] == list(range(1000))


def test_cuts_keep_the_sizes_they_promise():
    cuts = cut(names(5000), mean=40, largest=100)
    assert max(len(part) for part in cuts) <= 100
    assert min(len(part) for part in cuts[1:-1]) > 20
    assert 30 < 5000 / len(cuts) < 50


def test_one_shard_an_image_with_mean_one():
    assert cut(names(7), mean=1, largest=1) == [Rows(row, row + 1) for row in range(7)]


def test_nothing_to_cut():
    assert cut([], mean=8, largest=16) == []


@pytest.mark.parametrize("seed", range(30))
def test_neighbours_added_or_removed_touch_three_shards_at_most(seed):
    paths = names(1797, seed)
    before = contents(paths, cut(paths, mean=64, largest=256))
    at = random.Random(seed).randrange(1700)
    added = sorted([*paths, *(f"{paths[at]}-{number:02d}" for number in range(50))])
    removed = paths[:at] + paths[at + 50 :]
    assert len(contents(added, cut(added, mean=64, largest=256)) - before) <= 3
    assert len(contents(removed, cut(removed, mean=64, largest=256)) - before) <= 3


@pytest.mark.parametrize("seed", range(10))
def test_scattered_images_disturb_the_shards_they_fall_into(seed):
    paths = [f"{row % 10}/{row:04d}.png" for row in range(1797)]
    paths.sort()
    cuts = cut(paths, mean=64, largest=256)
    before = contents(paths, cuts)
    rng = random.Random(seed)
    new = {f"{rng.randrange(10)}/{rng.randrange(10_000):04d}b.png" for _ in range(50)}
    touched = {sum(paths[part.start] <= path for part in cuts) for path in new}
    added = sorted([*paths, *new])
    assert len(cuts) > 20
    assert len(contents(added, cut(added, mean=64, largest=256)) - before) <= len(touched) + 2


@pytest.mark.parametrize("name", ["0", "5", "5/", "5/0.1234567890.png-2", "ä/é.png"])
def test_an_image_of_any_name_touches_three_shards_at_most(name):
    paths = names(1797)
    before = contents(paths, cut(paths, mean=64, largest=256))
    added = sorted([*paths, name])
    assert len(contents(added, cut(added, mean=64, largest=256)) - before) <= 3


def test_a_cut_prefers_folders():
    paths = sorted(f"{'abcd'[row % 4]}/{row}.png" for row in range(200))
    cuts = cut(paths, mean=40, largest=100)
    assert {50, 100, 150} <= {part.start for part in cuts}


def test_rows_of_one_image_stay_together():
    paths = sorted([f"{row}.png" for row in range(20)] * 3)
    cuts = cut(paths, mean=4, largest=12)
    assert all(paths[part.start] != paths[part.start - 1] for part in cuts[1:])


def test_a_shard_never_spans_two_groups():
    paths = names(300)
    groups = ["a"] * 130 + ["b"] * 170
    cuts = cut(paths, mean=50, largest=100, groups=groups)
    assert any(part.stop == 130 for part in cuts)
    assert all(groups[part.start] == groups[part.stop - 1] for part in cuts)


def test_groups_are_cut_as_if_alone():
    paths = names(300)
    together = cut(paths, mean=50, largest=100, groups=["a"] * 130 + ["b"] * 170)
    alone = cut(paths[130:], mean=50, largest=100)
    assert [Rows(part.start + 130, part.stop + 130) for part in alone] == [
        p for p in together if p.start >= 130
    ]


def test_key_depends_on_images_their_order_and_the_recipe():
    digests = ["00" * 32, "11" * 32]
    assert shard_key(digests, "r") == shard_key(list(digests), "r")
    others = [shard_key(digests[::-1], "r"), shard_key(digests[:1], "r"), shard_key(digests, "s")]
    assert len({shard_key(digests, "r"), *others}) == 4


def test_pool_links_without_copying(tmp_path):
    pool = ShardPool(tmp_path / "pool")
    pool.folder.mkdir()
    pool.path("k").write_bytes(b"x")
    (tmp_path / "out").mkdir()
    assert pool.link(pool.path("k"), tmp_path / "out").stat().st_ino == pool.path("k").stat().st_ino


def test_a_shard_that_is_linked_twice_stays_what_it_was(tmp_path):
    pool = ShardPool(tmp_path / "pool")
    pool.folder.mkdir()
    pool.path("k").write_bytes(b"x")
    (tmp_path / "out").mkdir()
    before = pool.path("k").stat()
    for _ in range(2):
        assert pool.link(pool.path("k"), tmp_path / "out") == tmp_path / "out" / "part-k.h5"
    after = pool.path("k").stat()
    assert (after.st_mtime_ns, after.st_ino, after.st_nlink) == (before.st_mtime_ns, before.st_ino, 2)


def test_pool_is_emptied_by_age(tmp_path):
    pool = ShardPool(tmp_path)
    pool.path("k").write_bytes(b"xyz")
    assert pool.empty(older_than_days=1) == (0, 0)
    assert pool.empty() == (1, 3)
    assert not pool.has("k")


def test_pool_is_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVATLAS_SHARDS", str(tmp_path / "elsewhere"))
    assert ShardPool().folder == tmp_path / "elsewhere"
