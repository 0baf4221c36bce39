import tracemalloc

import numpy as np
import torch
from torch import nn

from pipeline.analyses.training_dynamics.forwarding import Held, Wanted, answer, first_convolution, rehearse
from pipeline.images.preprocess import Preprocessing
from pipeline.layers.batches import Batch
from pipeline.layers.observer import Observer

RNG = np.random.default_rng(0)


def held():
    made = Held(np.zeros((5, 3, 4, 4), np.float32))
    pixels, digest = RNG.integers(0, 256, (5, 4, 4, 3), np.uint8), np.zeros((3, 16), np.uint8)
    seen = Preprocessing(input_size=(4, 4), resize=None)
    batches = [Batch([2, 4, 5], pixels[:3], digest, seen), Batch([9, 11], pixels[3:], digest[:2], seen)]
    made.fill(batches)
    return made, np.concatenate([batch.inputs for batch in batches])


def test_batches_are_held_as_they_were():
    made, inputs = held()
    assert made.image_id.tolist() == [2, 4, 5, 9, 11]
    assert [ids.tolist() for ids, _ in made] == [[2, 4, 5], [9, 11]]
    np.testing.assert_array_equal(np.concatenate([batch for _, batch in made]), inputs)


def test_an_image_that_is_shown_alone_is_not_measured():
    made, inputs = held()
    network = nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(48, 2)).eval()
    wanted = Wanted(("0",), np.array([4, 5, 9, 11]), 2, {"0": np.array([0, 2])})
    found = answer(network, Observer(network, ["0"]), made, wanted)
    np.testing.assert_array_equal(found.maps["0"], np.maximum(inputs[0, [0, 2]], 0))
    np.testing.assert_array_equal(found.layers["0"].maxima, np.maximum(inputs[1:], 0).max((2, 3)))
    logits = network(torch.from_numpy(inputs[1:]))
    assert found.predicted.tolist() == logits.argmax(1).tolist()


def test_a_rehearsal_takes_the_memory_that_all_images_will_take():
    network = nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(48, 2)).eval()
    observer = Observer(network, ["0"])
    tracemalloc.start()
    rehearse(network, observer, held()[0], Wanted(("0",), np.arange(100_000), 2, {}))
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Of three units mean and maximum, in float32, before and after they are joined.
    assert 0 <= taken - 2 * 2 * 100_000 * 3 * 4 < 2_000_000


def test_the_first_convolution_is_the_first_whose_kernels_have_neighbours():
    network = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Sequential(nn.Conv2d(3, 4, (1, 3)), nn.Conv2d(4, 4, 3)))
    name, module = first_convolution(network)
    assert (name, module) == ("1.0", network[1][0])
    assert first_convolution(nn.Linear(2, 2)) is None
