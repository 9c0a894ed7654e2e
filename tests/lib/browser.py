"""A headless Chromium, driven over its debugging pipe: no library, no port, no network.

Where there is none, `there()` is None and the tests that want it say so by their name."""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile

SILENCE_SECONDS = 300  # of a page in which nothing comes to pass
WAIT_SECONDS = 120  # only where something never comes


class NeverCame(Exception):
    """A page did not come to what was waited for."""


def there():
    return next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
                 if path), None)


class Browser:
    """One page. Use as a context manager. `told`: what the page wrote to its console and what it was forbidden;
    `asked`: every address that was asked for."""

    def __init__(self, width=1440, height=900, dark=False, scripts=True):
        self.size = (width, height)
        self.dark, self.scripts = dark, scripts
        self.told, self.asked = [], []
        self.next_id, self.waiting, self.events = 0, b"", []

    def __enter__(self):
        self.home = tempfile.mkdtemp(prefix="browser-")
        commands, self.commands = os.pipe()
        self.answers, answers = os.pipe()

        def arrange():  # the browser reads 3 and writes 4
            os.dup2(commands, 100)
            os.dup2(answers, 101)
            os.dup2(100, 3)
            os.dup2(101, 4)

        self.process = subprocess.Popen(
            [there(), "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu",
             "--no-first-run", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--disable-dev-shm-usage", "--mute-audio", f"--user-data-dir={self.home}",
             "about:blank"],
            preexec_fn=arrange, close_fds=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": self.home, "DBUS_SESSION_BUS_ADDRESS": "disabled:"})
        os.close(commands)
        os.close(answers)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.tell(domain + ".enable")
        self.resize(*self.size)
        self.tell("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if self.dark else "light"}])
        if not self.scripts:
            self.tell("Emulation.setScriptExecutionDisabled", value=True)
        return self

    def __exit__(self, *exc):
        try:
            self.call("Browser.close")
        except (OSError, EOFError):
            pass
        os.close(self.commands)
        os.close(self.answers)
        self.process.wait(WAIT_SECONDS)
        shutil.rmtree(self.home, ignore_errors=True)

    # --- the protocol --------------------------------------------------------------------------

    def message(self):
        while b"\0" not in self.waiting:
            if not select.select([self.answers], [], [], SILENCE_SECONDS)[0]:
                raise TimeoutError("the browser says nothing any more")
            part = os.read(self.answers, 1 << 16)
            if not part:
                raise EOFError("the browser has ended")
            self.waiting += part
        text, _, self.waiting = self.waiting.partition(b"\0")
        return json.loads(text)

    def call(self, method, session=None, **params):
        self.next_id += 1
        request = {"id": self.next_id, "method": method, "params": params}
        if session:
            request["sessionId"] = session
        os.write(self.commands, json.dumps(request).encode() + b"\0")
        while True:
            m = self.message()
            if m.get("id") == self.next_id:
                break
            self.note(m)
        if "error" in m:
            raise RuntimeError(f"{method}: {m['error']}")
        return m["result"]

    def note(self, m):
        self.events.append(m)
        kind, p = m.get("method"), m.get("params", {})
        if kind == "Network.requestWillBeSent":
            self.asked.append(p["request"]["url"])
        elif kind == "Log.entryAdded" and p["entry"]["level"] in ("error", "warning"):
            self.told.append(p["entry"]["text"])
        elif kind == "Runtime.exceptionThrown":
            self.told.append(str(p["exceptionDetails"]))
        elif kind == "Runtime.consoleAPICalled" and p["type"] in ("error", "warning", "assert"):
            self.told.append(str(p["args"]))

    def tell(self, method, **params):
        return self.call(method, session=self.session, **params)

    # --- the page ------------------------------------------------------------------------------

    def resize(self, width, height=900):
        self.tell("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 500)

    def go(self, url):
        self.events = []
        self.tell("Page.navigate", url=url)
        while not any(m.get("method") == "Page.loadEventFired" for m in self.events):
            self.note(self.message())

    def run(self, script):
        """The value of an expression; a promise is waited for."""
        done = self.tell("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in done:
            raise RuntimeError(str(done["exceptionDetails"]))
        return done["result"].get("value")

    def until(self, condition):
        """Waits in the page, looked at after each of its frames and changes."""
        came = self.run("new Promise(function (done) { var begun = Date.now(); (function look() { var v = (" + condition +
                        f"); if (v || Date.now() - begun > {WAIT_SECONDS * 1000}) done(!!v); "
                        "else setTimeout(look, 20); })(); })")
        if not came:
            raise NeverCame(condition)

    def picture(self, path, whole=True):
        data = self.tell("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))
