"""A Python that has imported DVC and what stages import of others, and forks for each that a client asks for.

    server.py LISTENER

LISTENER is the number of a listening socket. Ends when its standard input does. Nothing of this project is
imported before the fork: a stage runs the code of the folder that it is started in.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import threading
import traceback
from collections import OrderedDict
from contextlib import suppress
from typing import Any, ClassVar, TextIO

import yaml
from dvc import dvcfile
from dvc.utils.serialize import parse_yaml
from dvc.utils.serialize._common import _modify_data
from ruamel.yaml.resolver import implicit_resolvers

# openTSNE is left to its stage, which sets the environment of its threads first.
HEAVY = (
    "distributed", "dvc.cli.parser", "dvc.commands.repro", "dvc.commands.status", "dvc.repo.reproduce",
    "dvc.repo.status", "dvc.stage.cache", "dvc.stage.run", "dvc_data.index", "h5py", "jinja2",
    "markdown", "matplotlib.backends.backend_agg", "matplotlib.cm", "matplotlib.figure",
    "matplotlib.offsetbox", "PIL.Image", "pydantic", "ruamel.yaml", "safetensors.torch", "scipy.linalg",
    "scipy.ndimage", "scipy.optimize", "scipy.sparse.linalg", "scipy.spatial.distance", "scipy.stats",
    "sklearn.datasets", "sklearn.linear_model", "sklearn.model_selection", "torch",
    "torchvision.models.feature_extraction", "tqdm",
)  # fmt: skip


FLOAT, NULL = "tag:yaml.org,2002:float", "tag:yaml.org,2002:null"


class Lock:
    """dvc.lock, kept in memory and written by libyaml: DVC's way takes a second for each stage."""

    def __init__(self) -> None:
        self._text, self._content = "", {}

    def modify(self, path: str, fs: Any = None) -> Any:
        """Stand for `dvc.utils.serialize.modify_yaml`."""
        return _modify_data(path, self._load, self._dump, fs=fs)

    def _load(self, text: str, path: str) -> dict[str, Any]:
        return self._content if text == self._text else parse_yaml(text, path)

    def _dump(self, content: dict[str, Any], file: TextIO) -> None:
        self._content, self._text = content, dump(content)
        file.write(self._text)


class Dumper(yaml.CSafeDumper):
    """Writes YAML 1.2, as DVC does, in which 4e-05 is a number and yes a word."""

    yaml_implicit_resolvers: ClassVar = {}


for versions, tag, pattern, first in implicit_resolvers:
    if (1, 2) in versions:
        Dumper.add_implicit_resolver(tag, pattern, first)
Dumper.add_representer(OrderedDict, Dumper.represent_dict)
Dumper.add_representer(float, lambda dumper, value: dumper.represent_scalar(FLOAT, repr(value)))
Dumper.add_representer(type(None), lambda dumper, _: dumper.represent_scalar(NULL, ""))


def dump(content: dict[str, Any]) -> str:
    """Return the text of dvc.lock, as DVC writes it."""
    return yaml.dump(content, Dumper=Dumper, sort_keys=False, allow_unicode=True)


def main() -> None:
    """Serve; what returns from there is a process that a stage runs in."""
    listener = socket.socket(fileno=int(sys.argv[1]))
    for name in HEAVY:
        importlib.import_module(name)
    dvcfile.modify_yaml = Lock().modify
    # A fork takes one thread along: were there others, their locks would stay locked.
    assert threading.active_count() == 1 and len(os.listdir("/proc/self/task")) == 1
    gc.collect()
    gc.freeze()
    request = serve(listener)
    end(run(request) if request else 0)


def serve(listener: socket.socket) -> dict[str, Any] | None:
    """Return what a client asks for, in a process of its own; in the server's None, when it has to end."""
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        # What has ended is counted to this process's time.
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        if sys.stdin in ready:
            return None
        connection, _ = listener.accept()
        if os.fork():
            connection.close()
            continue
        listener.close()
        request = receive(connection)
        stage = os.fork()
        if not stage:
            connection.close()
            return request
        watch(connection, stage)


def receive(connection: socket.socket) -> dict[str, Any]:
    """Read a request and take on the client's standard streams."""
    size, streams, _, _ = socket.recv_fds(connection, 8, 3)
    with connection.makefile("rb") as file:
        request = json.loads(file.read(int.from_bytes(size)))
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    return request


def watch(connection: socket.socket, stage: int) -> None:
    """Answer how the stage ended, or kill it if the client is gone, and end."""
    ready, _, _ = select.select([connection, os.pidfd_open(stage)], [], [])
    if connection in ready:
        os.kill(stage, signal.SIGKILL)
    _, status = os.waitpid(stage, 0)
    if connection not in ready:
        connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def run(request: dict[str, Any]) -> int:
    """Be ``python -m <arguments>`` in the client's folder and environment; return its exit code."""
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    module, *arguments = request["arguments"]
    sys.argv = [module, *arguments]
    if module != "dvc":
        sys.path[0] = request["folder"]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - as Python itself does
        traceback.print_exc()
        return 1
    return 0


def end(code: int) -> None:
    """End as Python does, but for taking apart what the server imported: it takes longer than many stages."""
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
