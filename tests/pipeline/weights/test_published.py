import hashlib
import http.server
import threading
from functools import partial
from pathlib import Path

import pytest
import torch
import torchvision
from torchvision.models import SqueezeNet1_1_Weights

from pipeline.errors import UserError
from pipeline.weights.published import SCALED_INSIDE, find_published


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Let torchvision's entry of a small network point to a file that a test may serve or damage."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    torch.manual_seed(2)
    network = torchvision.models.squeezenet1_1(weights=None)
    torch.save(network.state_dict(), tmp_path / "net.pth")
    digest = hashlib.sha256((tmp_path / "net.pth").read_bytes()).hexdigest()
    path = tmp_path / f"squeezenet-{digest[:8]}.pth"
    (tmp_path / "net.pth").rename(path)

    def point(url):
        entry = SqueezeNet1_1_Weights.IMAGENET1K_V1.value
        original = entry.url
        object.__setattr__(entry, "url", url)
        monkeypatch.setattr(entry.__class__, "__eq__", lambda a, b: a is b)
        restored.append((entry, original))

    restored = []
    yield path, network, point
    for entry, original in restored:
        object.__setattr__(entry, "url", original)


@pytest.mark.parametrize("name", ["DEFAULT", "IMAGENET1K_V1", "SqueezeNet1_1_Weights.IMAGENET1K_V1"])
def test_weights_of_torchvision_by_name(published, name):
    path, network, point = published
    point(path.as_uri())
    found = find_published("squeezenet1_1", name)
    assert found.name == "SqueezeNet1_1_Weights.IMAGENET1K_V1"
    assert all(torch.equal(value, network.state_dict()[key]) for key, value in found.download().items())
    assert len(found.classes) == 1000 and found.classes[0] == "tench"
    assert (found.preprocessing.input_size, found.preprocessing.resize) == ((224, 224), 256)
    assert found.preprocessing.mean == (0.485, 0.456, 0.406)


def test_weights_of_torchvision_over_http(published, tmp_path):
    path, _, point = published
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(path.parent))
    handler.log_message = lambda *_: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        point(f"http://127.0.0.1:{server.server_port}/{path.name}")
        assert find_published("squeezenet1_1", "DEFAULT").download()
        server.shutdown()
    assert (tmp_path / "home" / "hub" / "checkpoints" / path.name).exists()


def test_weights_of_torchvision_with_another_hash(published):
    path, _, point = published
    path.write_bytes(path.read_bytes() + b"x")
    point(path.as_uri())
    with pytest.raises(UserError, match="SqueezeNet1_1_Weights.*invalid hash"):
        find_published("squeezenet1_1", "DEFAULT").download()


def test_weights_of_torchvision_without_a_connection(published):
    path, _, point = published
    point("http://127.0.0.1:9/none-00000000.pth")
    with pytest.raises(UserError, match="cannot be downloaded.*inputs/network"):
        find_published("squeezenet1_1", "DEFAULT").download()


@pytest.mark.parametrize(
    ("architecture", "name", "message"),
    [
        ("alexnet", "IMAGENET1K_V2", "did you mean 'IMAGENET1K_V1'"),
        ("alexnet", "x", "there are IMAGENET1K_V1, DEFAULT|there are IMAGENET1K_V1"),
        ("alexnet", "trian", "did you mean 'train'"),
        (
            "vgg16",
            "IMAGENET1K_FEATURES",
            "did you mean 'IMAGENET1K_V1'.* there are IMAGENET1K_V1, DEFAULT, 'train'",
        ),
        ("alexnt", "DEFAULT", "torchvision has no network 'alexnt'"),
    ],
)
def test_names_that_torchvision_does_not_know(architecture, name, message):
    with pytest.raises(UserError, match=message):
        find_published(architecture, name)


def test_networks_that_scale_their_input_get_it_scaled():
    assert find_published("googlenet", "DEFAULT").preprocessing.mean == (0.5, 0.5, 0.5)
    sources = Path(torchvision.models.__file__).parent.glob("*.py")
    assert {path.stem for path in sources if "transform_input" in path.read_text()} == {
        "googlenet",
        "inception",
    }
    assert SCALED_INSIDE == ("googlenet", "inception_v3")
