"""A real browser without a screen, driven over WebDriver with nothing but Python: chromium through chromedriver."""

import atexit
import base64
import ctypes
import functools
import glob
import http.client
import re

from ordem import *

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the name that WebDriver's standard gives to a reference


PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


def end_with_parent():
    """In a child that is about to become another program: a test that is killed leaves no browser behind."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Browser:
    def __init__(self):
        for name in ("chromium", "chromedriver"):
            if shutil.which(name) is None:
                raise Skip(f"{name} is not installed")
        self.profile = tempfile.mkdtemp(prefix="ordem-browser-")
        with open(f"{self.profile}/chromedriver.txt", "wb") as screen:
            self.process = subprocess.Popen(["chromedriver", "--port=0"], stdin=subprocess.DEVNULL, stdout=screen,
                                            stderr=subprocess.DEVNULL, preexec_fn=end_with_parent,
                                            env=os.environ | {"LANGUAGE": "en", "HOME": self.profile})
        self.port = wait_until(self._says_port, "chromedriver's port")
        wait_until(self._is_up, "chromedriver answers")
        arguments = ["--headless=new", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-dev-shm-usage",
                     f"--user-data-dir={self.profile}/profile"] + (["--no-sandbox"] if os.geteuid() == 0 else [])
        asked = {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": {
            "binary": shutil.which("chromium"), "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}}}
        self.session = self.ask("POST", "/session", asked)["sessionId"]

    def _says_port(self):
        assert self.process.poll() is None, "chromedriver ended"
        with open(f"{self.profile}/chromedriver.txt", encoding="utf-8") as file:
            found = re.search(r"started successfully on port (\d+)\.", file.read())
        return found and int(found[1])

    def _is_up(self):
        assert self.process.poll() is None, "chromedriver ended"
        try:
            return self.ask("GET", "/status")["ready"]
        except (OSError, http.client.HTTPException):
            return False

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2 * LIMIT)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
            answer = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        assert not (isinstance(answer, dict) and "error" in answer), answer
        return answer

    def send(self, path, **body):
        return self.ask("POST", f"/session/{self.session}/{path}", body)

    def run(self, script, *arguments):
        """The value that a script returns, or that what it returns resolves to."""
        return self.send("execute/sync", script=script, args=list(arguments))

    def devtools(self, command, **parameters):
        return self.send("goog/cdp/execute", cmd=command, params=parameters)

    def resize(self, width, height):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def scheme(self, name):
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def open(self, path, width=1600, height=1000, scheme="light"):
        """Opens a report and waits until it is drawn."""
        self.send("url", url="about:blank")
        self.log("browser"), self.log("performance")
        self.resize(width, height)
        self.scheme(scheme)
        self.send("url", url=f"file://{os.path.abspath(path)}")
        wait_until(lambda: self.run("return window.ordem?.ready === true || document.querySelector('.bad') !== null"), "the page is drawn")

    def log(self, kind):
        return self.send("se/log", type=kind)

    def complaints(self):
        return [entry["message"] for entry in self.log("browser") if entry["level"] == "SEVERE"]

    def requests(self):
        """The addresses that the page asked for, apart from its own."""
        events = [json.loads(entry["message"])["message"] for entry in self.log("performance")]
        asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
        return [url for url in asked if not url.startswith(("file://", "about:", "data:", "blob:"))]

    def frame(self):
        """Waits until what was asked for is drawn."""
        self.run("return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 30))))")

    def find(self, selector):
        return self.send("element", using="css selector", value=selector)[ELEMENT]

    def click(self, selector):
        self.send(f"element/{self.find(selector)}/click")
        self.frame()

    def type(self, selector, text):
        self.send(f"element/{self.find(selector)}/value", text=text)
        self.frame()

    def pointer(self, x, y, *then):
        """Moves the mouse to a place in the window, and then down, up and so on."""
        actions = [{"type": "pointerMove", "x": round(x), "y": round(y), "duration": 0}, *then]
        self.send("actions", actions=[{"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions}])
        self.frame()

    def press(self, x, y):
        self.pointer(x, y, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0})

    def drag(self, x, y, to_x):
        self.pointer(x, y, {"type": "pointerDown", "button": 0}, {"type": "pointerMove", "x": round(to_x), "y": round(y), "duration": 50},
                     {"type": "pointerUp", "button": 0})

    def wheel(self, x, y, delta):
        self.send("actions", actions=[{"type": "wheel", "id": "wheel", "actions": [
            {"type": "scroll", "x": round(x), "y": round(y), "deltaX": 0, "deltaY": delta, "duration": 0}]}])
        self.frame()

    def picture(self, name, whole=True):
        """Keeps a screenshot in build/screenshots."""
        folder = os.path.join(BUILD, "screenshots")
        os.makedirs(folder, exist_ok=True)
        data = self.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        with open(os.path.join(folder, f"{name}.png"), "wb") as file:
            file.write(base64.b64decode(data))
        return os.path.join(folder, f"{name}.png")

    def close(self):
        try:
            self.ask("DELETE", f"/session/{self.session}")
        except (OSError, AssertionError):
            pass
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)


@functools.cache
def shared_browser():
    """One browser for all tests of a file."""
    browser = Browser()
    atexit.register(browser.close)
    return browser


__all__ = ["Browser", "base64", "functools", "glob", "shared_browser"]
