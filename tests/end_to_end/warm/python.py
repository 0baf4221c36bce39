"""A folder with a ``python`` and a ``dvc`` that start at once, for where the start is not what is tested."""

import atexit
import os
import shlex
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
# Read when a library is loaded: before the fork, so that what a client's environment says comes too late.
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}


@dataclass(frozen=True)
class WarmPython:
    """The folder to stand first on the path, and the server, which ends with this process."""

    folder: tempfile.TemporaryDirectory
    server: subprocess.Popen


@cache
def warm_python() -> WarmPython:
    """Start the server."""
    # Not below pytest's folders: the path of a socket is short.
    folder = tempfile.TemporaryDirectory(prefix="warm-")
    path = Path(folder.name)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path / "socket"))
        listener.listen()
        number = listener.fileno()
        server = subprocess.Popen(
            [sys.executable, HERE / "server.py", str(number)], pass_fds=[number],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env={**os.environ, **ONE_THREAD},
        )  # fmt: skip
    command = shlex.join(
        map(str, (sys.executable, "-ISE", HERE / "client.py", path / "socket", sys.executable))
    )
    for name, arguments in {"python": "", "dvc": "-m dvc "}.items():
        (path / name).write_text(f'#!/bin/sh\nexec {command} {arguments}"$@"\n')
        (path / name).chmod(0o755)
    atexit.register(server.communicate)
    return WarmPython(folder, server)
