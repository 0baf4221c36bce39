from typing import Annotated, Literal

import pytest
from pydantic import Field, model_validator

from pipeline.errors import UserError
from pipeline.params import Block, digest, load_block, read_params


class Inner(Block):
    mean: int = Field(ge=1)


class Example(Block):
    k: int = Field(ge=1, le=100)
    rate: float = 0.5
    layers: tuple[str, ...] = ()
    inner: Inner = Inner(mean=1)
    chosen: Literal["auto"] | Annotated[tuple[str, ...], Field(min_length=1)] = "auto"
    either: Literal["auto"] | Inner = "auto"

    @model_validator(mode="after")
    def _ordered(self) -> "Example":
        if self.rate > self.k:
            raise ValueError(f"rate must be at most k, {self.k}")
        return self


def load(tmp_path, text):
    (tmp_path / "params.yaml").write_text(text)
    return load_block(tmp_path / "params.yaml", "topk", Example)


def test_a_block_is_read(tmp_path):
    found = load(tmp_path, "topk: {k: 9, rate: 1, layers: [a, 'b*'], inner: {mean: 3}}")
    assert found == Example(k=9, rate=1.0, layers=("a", "b*"), inner=Inner(mean=3))


def test_key_of_a_merged_block_may_be_written_again_however_deep(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("a: {b: {c: &c {<<: {x: 1, y: 2}, x: 3}}}\nd: {<<: *c, z: 4}\n", encoding="utf-8")
    assert read_params(path)["d"] == {"x": 3, "y": 2, "z": 4}


def test_number_may_be_written_as_dvc_reads_it(tmp_path):
    assert load(tmp_path, "topk: {k: 9, rate: 1e-3}").rate == 0.001
    assert load(tmp_path, "topk: {k: 9, layers: [a-1e3, 1e3x]}").layers == ("a-1e3", "1e3x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("topk: {k: 9, rat: 1}", "unknown key 'topk.rat'; did you mean 'rate'"),
        ("topk: {k: 9, zebra: 1}", "unknown key 'topk.zebra'; valid: chosen, either, inner, k, layers, rate"),
        (
            "topk: {k: 9, inner: {maen: 3}}",
            "'topk.inner.mean' is missing; unknown key 'topk.inner.maen'; did you mean 'mean'",
        ),
        ("topk: {k: 0}", "'topk.k': input should be greater than or equal to 1, got 0"),
        ("topk: {k: 101}", "less than or equal to 100, got 101"),
        ("topk: {k: '9'}", "'topk.k': input should be a valid integer, got '9'; write 9 without quotes"),
        ("topk: {k: 9, rate: '0.5'}", "got '0.5'; write 0.5 without quotes"),
        ('topk: {k: 9, rate: "\'"}', 'got "\'"'),
        ("topk: {k: 'nine'}", "'topk.k': input should be a valid integer, got 'nine'"),
        ("topk: {k: 1}\ntopk: {k: 2}", "line 2, not valid YAML: the key 'topk' stands in line 1 already"),
        ("topk:\n  k: 1\n  rate: 2\n  k: 1", "line 4, not valid YAML: the key 'k' stands in line 2 already"),
        ("topk: {k: 1e1}", "should be a valid integer, got 10.0"),
        ("# nothing", "holds no parameters; 'git checkout "),
        ("topk: {k: 9.5}", "'topk.k'"),
        ("topk: {k: true}", "'topk.k'"),
        ("topk: {k: 9, rate: .nan}", "'topk.rate': input should be a finite number"),
        ("topk: {}", "'topk.k' is missing"),
        ("topk: {k: 9, chosen: all}", "yaml: 'topk.chosen': input should be 'auto' or a list, got 'all'"),
        ("topk: {k: 9, chosen: []}", "yaml: 'topk.chosen': list should have at least 1 item, got []"),
        ("topk: {k: 9, chosen: [a, 1]}", "yaml: 'topk.chosen.1': input should be a valid string, got 1"),
        ("topk: {k: 9, layers: a}", "yaml: 'topk.layers': input should be a list, got 'a'"),
        ("topk: {k: 9, either: {mean: 0}}", "yaml: 'topk.either.mean': input should be greater than"),
        ("topk: {k: 9, either: 3}", "yaml: 'topk.either': input should be 'auto' or a block of keys, got 3"),
        ("topk: {k: 9, inner: [1]}", "yaml: 'topk.inner': input should be a block of keys, got [1]"),
        ("topk: 5", "'topk'"),
        ("tpk: {k: 9}", "block 'topk' is missing; did you mean 'tpk'"),
        ("topk: {k: [}", "line 1, not valid YAML"),
        ("a: \x01", "not valid YAML: unacceptable character"),
        ("- a", "expected blocks of parameters, found list"),
        ("{topk: {k: 9}, 7: {}}", "the block name 7 is no text"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(tmp_path, text, message):
    with pytest.raises(UserError) as caught:
        load(tmp_path, text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "params.yaml") in str(caught.value)


def test_a_mistake_of_two_keys_is_not_followed_by_the_whole_block(tmp_path):
    with pytest.raises(UserError, match=r"'topk': rate must be at most k, 9$"):
        load(tmp_path, "topk: {k: 9, rate: 10}")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"params\.yaml: no such file"):
        read_params(tmp_path / "params.yaml")


def test_what_is_no_file_is_named(tmp_path):
    with pytest.raises(UserError, match="cannot be read: Is a directory"):
        read_params(tmp_path)


def test_blocks_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        Example(k=9).k = 10


def test_digest_depends_on_values_alone():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest(Example(k=9)) == digest(Example(k=9, rate=0.5))
    assert digest(Example(k=9)) != digest(Example(k=8))
