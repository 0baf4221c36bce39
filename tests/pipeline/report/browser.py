"""A headless Chromium driven over a pipe: what a page shows and does, without another dependency."""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-pipe",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip
SECONDS = 60.0


def at(report: Path, page: str) -> str:
    """Return the address of a page of a report with what follows #."""
    return f"{report.as_uri()}/{page}"


class Page:
    """One tab; made by `browser`."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._out, self._in = to_browser, from_browser
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self.problems: list[str] = []
        self.requests: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            reply = self._next()
            if reply.get("id") == self._number:
                if "error" in reply:
                    raise RuntimeError(f"{method}: {reply['error']}")
                return reply["result"]
            self._note(reply)

    def evaluate(self, expression: str) -> Any:
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"]["exception"].get("description", expression))
        return result["result"].get("value")

    def open(self, address: str | Path, *, width: int = 1440, height: int = 900, dark: bool = False) -> None:
        self.look(width=width, height=height, dark=dark)
        # Another fragment of the page that is open would not load anything.
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=address.as_uri() if isinstance(address, Path) else address)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")
        self.settle()

    def settle(self) -> None:
        """Wait until what was done is drawn."""
        self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def bring(self, selector: str) -> list[float]:
        """Scroll to an element; return left, top, width and height once it and its pictures stand still."""
        one = f"document.querySelector({json.dumps(selector)})"
        self.evaluate(f"{one}.scrollIntoView({{block: 'center'}})")
        self.wait(f"[{one}, ...{one}.querySelectorAll('img')].every(one => one.complete !== false)")
        box = f"(b => [b.left, b.top, b.width, b.height])({one}.getBoundingClientRect())"
        place = self.evaluate(box)
        while True:
            self.settle()
            before, place = place, self.evaluate(box)
            if place == before:
                return place

    def look(self, *, width: int, height: int, dark: bool) -> None:
        """Look at the page on another screen, or by another light."""
        phone = width < 700
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )
        self.call(
            "Emulation.setEmulatedMedia",
            features=[
                {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
                {"name": "prefers-reduced-motion", "value": "reduce"},
            ],
        )

    def wait(self, condition: str) -> None:
        end = time.monotonic() + SECONDS
        while not self._holds(condition):
            if time.monotonic() > end:
                raise TimeoutError(condition)
            time.sleep(0.02)

    def _holds(self, condition: str) -> bool:
        try:
            return bool(self.evaluate(condition))
        except RuntimeError as error:
            # The page that was asked is gone; the next one is asked again.
            if "navigated" in str(error) or "context" in str(error):
                return False
            raise

    def key(self, name: str) -> None:
        text = {"text": name} if len(name) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=name, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=name)

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, x: float, y: float) -> None:
        self.mouse("mousePressed", x, y, button="left", clickCount=1)
        self.mouse("mouseReleased", x, y, button="left", clickCount=1)

    def touch(self, kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        self.call("Input.dispatchTouchEvent", type=kind, touchPoints=touches)

    def picture(self, path: Path, *, whole: bool = False) -> None:
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            part = os.read(self._in, 1 << 20)
            if not part:
                raise RuntimeError("the browser ended")
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def _note(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        match message.get("method"):
            case "Runtime.exceptionThrown":
                self.problems.append(str(params["exceptionDetails"].get("exception", {}).get("description")))
            case "Log.entryAdded" if params["entry"]["level"] == "error":
                self.problems.append(params["entry"]["text"] + " " + params["entry"].get("url", ""))
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Page.javascriptDialogOpening":
                self.problems.append("a dialog opened")


@contextmanager
def browser() -> Iterator[Page]:
    """Start Chromium with an empty profile and give its one page."""
    assert CHROMIUM, "skip these tests where there is no browser"
    to_browser, from_page = os.pipe(), os.pipe()
    # The browser reads its commands from descriptor 3 and answers on 4.
    wire = f"os.dup2({to_browser[0]}, 3); os.dup2({from_page[1]}, 4); os.execv(sys.argv[1], sys.argv[1:])"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [sys.executable, "-c", f"import os, sys; {wire}", CHROMIUM, *FLAGS, f"--user-data-dir={profile}"],
            pass_fds=(to_browser[0], from_page[1]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_browser[0])
        os.close(from_page[1])
        try:
            yield Page(to_browser[1], from_page[0])
        finally:
            os.close(to_browser[1])
            os.close(from_page[0])
            process.kill()
            process.wait()
