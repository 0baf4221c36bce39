"""Stands for ``python``: has the server run ``python -m stages.<name>`` or ``python -m dvc``, ends as it did.

    client.py SOCKET PYTHON ARGUMENT...

Any other command is PYTHON's own.
"""

import json
import os
import signal
import socket
import sys


def main() -> int:
    """Run the command."""
    path, python, *arguments = sys.argv[1:]
    if arguments[:1] != ["-m"] or not arguments[1].startswith(("stages.", "dvc")):
        os.execv(python, [python, *arguments])
    request = {"folder": os.getcwd(), "environment": dict(os.environ), "arguments": arguments[1:]}
    content = json.dumps(request).encode()
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        socket.send_fds(server, [len(content).to_bytes(8)], [0, 1, 2])
        server.sendall(content)
        answer = server.recv(16)
    if not answer:
        print("the server of warm Pythons is gone", file=sys.stderr)
        return 1
    code = int(answer)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    sys.exit(main())
