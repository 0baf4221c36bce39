import json

import pytest

from pipeline.report.scripts import LARGEST, bucket, write_buckets, write_names, write_runs, write_script


def _read(path):
    call = path.read_text(encoding="ascii")
    assert call.startswith("convatlas.put(") and call.endswith(");\n")
    return json.loads(f"[{call[len('convatlas.put(') : -3]}]")


def test_a_script_names_itself(tmp_path):
    write_script(tmp_path, "units/a/0", {"ü</script>": [1, None]})
    assert _read(tmp_path / "data/units/a/0.js") == ["units/a/0", {"ü</script>": [1, None]}]


def test_runs_are_consecutive_and_bounded(tmp_path):
    records = [(number, "x" * (number % 700)) for number in range(0, 4000, 2)]
    firsts = write_runs(tmp_path, "units/a", records)
    files = [tmp_path / f"data/units/a/{index}.js" for index in range(len(firsts))]
    assert len(list((tmp_path / "data/units/a").iterdir())) == len(firsts) > 1
    assert max(file.stat().st_size for file in files) <= LARGEST
    read = [_read(file)[1] for file in files]
    assert [tuple(pair) for run in read for pair in run] == records
    assert firsts == [run[0][0] for run in read]


def test_buckets_hold_each_name_where_its_hash_says(tmp_path):
    records = {f"class {k % 7}/{k}.png": {"x": "y" * (k % 300)} for k in range(5000)}
    count = write_buckets(tmp_path, "images", records)
    found = {}
    for index in range(count):
        file = tmp_path / f"data/images/{index}.js"
        assert file.stat().st_size <= LARGEST
        pairs = _read(file)[1]
        assert all(bucket(name, count) == index for name, _ in pairs)
        found |= dict(pairs)
    assert found == records


def test_nothing_makes_one_empty_shard(tmp_path):
    assert write_buckets(tmp_path, "images", {}) == 1
    assert write_runs(tmp_path, "units/a", []) == []


@pytest.mark.parametrize(
    # As published for FNV-1a over bytes, of which these letters are one each.
    ("name", "expected"),
    [("", 0x811C9DC5), ("a", 0xE40C292C), ("foobar", 0xBF9CF968)],
)
def test_hash_is_fnv(name, expected):
    assert bucket(name, 2**32) == expected


def _names(shard):
    """As a script reads it, code unit by code unit."""
    names, before = [], b""
    for shared, rest in zip(shard[::2], shard[1::2], strict=True):
        before = before[: 2 * shared] + rest.encode("utf-16-le", "surrogatepass")
        names.append(before.decode("utf-16-le", "surrogatepass"))
    return names


def test_names_share_their_beginnings_and_shards_are_bounded(tmp_path):
    names = sorted(f"class {k % 7}/\U0001f600{k}é\udcff.png" for k in range(30_000))
    count = write_names(tmp_path, "search", names)
    files = [tmp_path / f"data/search/{index}.js" for index in range(count)]
    assert count > 1 and max(file.stat().st_size for file in files) <= LARGEST
    assert [name for file in files for name in _names(_read(file)[1])] == names
    assert sum(file.stat().st_size for file in files) < 0.7 * sum(len(json.dumps(name)) for name in names)


def test_no_name_needs_no_shard(tmp_path):
    assert write_names(tmp_path, "search", []) == 0
