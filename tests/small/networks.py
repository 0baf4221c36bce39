"""Networks of a test's own source, saved as the stage `weights` would."""

from pipeline.formats.weights import Description
from pipeline.model.building import build_network
from pipeline.model.network import save_network


def save_networks(folder, source, names, preprocessing, classes=("a", "b")):
    """Write inputs/network/known.py and, for each of its factories, a folder of weights of that name."""
    inputs = folder / "inputs"
    (inputs / "network").mkdir(parents=True)
    (inputs / "network/known.py").write_text(source)
    for name in names:
        architecture = f"inputs/network/known.py:{name}"
        network = build_network(architecture, len(classes), inputs).eval()
        description = Description(
            architecture=architecture, weights="hand", classes=classes, preprocessing=preprocessing
        )
        save_network(folder / name, network, description, inputs)
