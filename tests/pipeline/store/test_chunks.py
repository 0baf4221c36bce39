import zlib
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pytest

from pipeline.store import chunks

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    "data",
    [
        b"\0",
        b"\xff",
        bytes(1000),
        b"\xff" * 1000,
        b"\xff" * 400_001,
        RNG.bytes(7),
        RNG.bytes(8),
        RNG.bytes(300_000),
        RNG.bytes(300_001),
    ],
    ids=len,
)
def test_the_sum_is_that_of_hdf5(tmp_path, data):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = file.create_dataset(
            "x", data=np.frombuffer(data, np.uint8), chunks=(len(data),), fletcher32=True
        )
        dataset.flush()
        _, stored = dataset.id.read_direct_chunk((0,))
    assert stored[:-4] == data
    assert chunks.fletcher32(data).to_bytes(4, "little") == stored[-4:]


@pytest.mark.parametrize(
    "values",
    [
        RNG.normal(size=(10, 3)).astype(np.float32),
        RNG.normal(size=(10, 3)).astype(np.float16),
        RNG.normal(size=(7,)).astype(">f4"),
        RNG.normal(size=(20, 6))[::2, ::3],
        RNG.integers(0, 2, (9, 4)).astype(bool),
        RNG.integers(-9, 9, (11, 2, 3)),
        np.array([0, 0, 0, 5, 0, 0, 0, 0], np.uint16),
        np.array([b"abc", b"", b"de"]),
        np.asfortranarray(RNG.normal(size=(5, 4))),
    ],
    ids=lambda values: f"{values.dtype.str}{values.shape}",
)
@pytest.mark.parametrize("rows", [1, 3, 4, 100])
def test_hdf5_reads_what_its_own_filters_would_have_written(tmp_path, values, rows):
    rows = min(rows, len(values))
    files = {}
    for name in ("own", "hdf5"):
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            dataset = file.create_dataset(
                "x", values.shape, values.dtype, chunks=(rows, *values.shape[1:]), compression="gzip",
                compression_opts=chunks.LEVEL, shuffle=True, fletcher32=True,
            )  # fmt: skip
            if name == "own":
                for place, data in chunks.filtered(values, rows):
                    dataset.id.write_direct_chunk(place, data)
            else:
                dataset[...] = values
        with h5py.File(tmp_path / f"{name}.h5") as file:
            assert file["x"][()].tobytes() == np.ascontiguousarray(values).tobytes()
            places = [
                file["x"].id.get_chunk_info(number).chunk_offset
                for number in range(file["x"].id.get_num_chunks())
            ]
            files[name] = {
                place: data
                for place in places
                if any(data := zlib.decompress(file["x"].id.read_direct_chunk(place)[1][:-4]))
            }
    assert files["own"] == files["hdf5"]


def test_equal_values_give_equal_bytes_in_threads_and_on_a_used_heap():
    values = np.maximum(RNG.normal(size=(40, 500)), 0).astype(np.float32)
    expected = list(chunks.filtered(values, 40))
    others = [RNG.integers(0, 9, (40, width)) for width in range(1, 200)]

    def again(other: np.ndarray) -> list[tuple[tuple[int, ...], bytes]]:
        list(chunks.filtered(other, 40))
        return list(chunks.filtered(values.copy(), 40))

    with ThreadPoolExecutor(4) as pool:
        assert all(results == expected for results in pool.map(again, others))
