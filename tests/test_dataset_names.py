import ast

import pytest

from tests.dataset_names import dataset_names


@pytest.mark.parametrize(
    "code",
    [
        "store.write(path, stage='x', version=1)",
        "store.read(path, version=1)",
        "store.read(path)",
        "store.read(path, version=None).get('label')",
        "def f(file: Reader): file.get('label')",
        "file.strings('path')",
        "writer.put(f'{layer}/value', x)",
        "shard.read('codes')",
        "activations.attributes(layer)['units']",
        "h5py.File(path)['label']",
        "with h5py.File(path) as file: file['label']",
    ],
)
def test_the_name_of_a_dataset_is_found(code):
    assert list(dataset_names(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "with store.read(path, version=None) as file: file.origin()",
        "def f(file: Reader): file.get(name)",
        "names.get('x')",
        "numbers['knn']",
        "dataset.read(path)",
    ],
)
def test_what_names_no_dataset_is_passed_over(code):
    assert not list(dataset_names(ast.parse(code)))
