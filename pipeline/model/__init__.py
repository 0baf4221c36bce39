"""Building a network, and keeping it in a weights folder."""

from pipeline.model.building import build_network
from pipeline.model.network import load_network, save_network

__all__ = ["build_network", "load_network", "save_network"]
