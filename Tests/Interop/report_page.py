#!/usr/bin/env python3
"""Opens the page of the logger `html` in headless Chromium while a training writes it, and looks whether it follows.

    report_page.py PAGE [--screenshots FOLDER] [--seconds N] [--then-wait]

PAGE is `report.html` of a run that goes on. The page is opened once, from its file, and looked at again after N seconds
(20 unless given): the curves must have grown to a later step, the pictures must be there, no script may have failed and
nothing may have been fetched from a network. With --then-wait it stays open until the run has ended and must then say
so; afterwards the page is opened again alone, from an empty folder, and must show the same. Needs Debian's packages
chromium and chromium-driver.
"""
import argparse
import base64
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

STATE = """
const charts = [...document.querySelectorAll('[data-metric]')].map((card) => ({
  name: card.dataset.metric, points: Number(card.dataset.points), last: Number(card.dataset.lastStep),
  path: [...card.querySelectorAll('path')].map((path) => path.getAttribute('d').length),
  label: card.querySelector('svg').getAttribute('aria-label'),
}));
const galleries = [...document.querySelectorAll('.gallery')].map((card) => ({
  tag: card.dataset.tag, sets: Number(card.dataset.sets), step: Number(card.dataset.step),
  pictures: [...card.querySelectorAll('img')].map((image) => image.complete && image.naturalWidth > 0),
  captions: [...card.querySelectorAll('figcaption')].map((caption) => caption.textContent),
}));
return {
  step: Number(document.body.dataset.step), status: document.body.dataset.status, charts, galleries,
  settings: document.querySelectorAll('#settings tr').length, facts: document.getElementById('facts').textContent,
  fetched: performance.getEntriesByType('resource').map((entry) => entry.name)
    .filter((name) => !name.startsWith('file:') && !name.startsWith('data:')),
};
"""

failures = []


def check(condition, what):
    if not condition:
        failures.append(what)
        print("FAILED:", what)


class Browser:
    """A session of chromedriver, spoken to by WebDriver's plain HTTP."""

    def __init__(self, dark=False, width=1280, height=1420):
        self.port = 9515 + int(dark)
        self.driver = subprocess.Popen(
            ["chromedriver", f"--port={self.port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--window-size={width},{height}",
                     "--hide-scrollbars"]
        if dark:
            arguments.append("--blink-settings=preferredColorScheme=0")
        capabilities = {
            "browserName": "chrome", "goog:chromeOptions": {"args": arguments}, "goog:loggingPrefs": {"browser": "ALL"}}
        for _ in range(100):
            try:
                answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}}, session=False)
                break
            except OSError:
                time.sleep(0.1)
        self.session = answer["sessionId"]

    def call(self, method, path, body=None, session=True):
        prefix = f"/session/{self.session}" if session else ""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{prefix}{path}", method=method,
            data=None if body is None else json.dumps(body).encode(), headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return json.loads(reply.read())["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{path}: {error.read().decode()}") from None

    def open(self, path):
        self.call("POST", "/url", {"url": Path(path).resolve().as_uri()})

    def run(self, script):
        return self.call("POST", "/execute/sync", {"script": script, "args": []})

    def screenshot(self, path):
        Path(path).write_bytes(base64.b64decode(self.call("GET", "/screenshot")))

    def errors(self):
        return [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"})
                if entry["level"] == "SEVERE"]

    def close(self):
        self.call("DELETE", "")
        self.driver.terminate()
        self.driver.wait()


def look(browser, what):
    # Pictures are decoded a moment after they are there.
    time.sleep(1)
    state = browser.run(STATE)
    for chart in state["charts"]:
        check(chart["points"] > 1 and all(length > 10 for length in chart["path"]), f"{what}: the curve {chart}")
    for gallery in state["galleries"]:
        check(gallery["pictures"] and all(gallery["pictures"]), f"{what}: the pictures {gallery}")
    names = [chart["name"] for chart in state["charts"]]
    for name in ["loss", "lr", "grad_norm", "images_per_second", "step_seconds", "peak_memory_bytes"]:
        check(name in names, f"{what}: a curve of {name}, found {names}")
    check(state["settings"] > 10, f"{what}: {state['settings']} settings")
    check(not state["fetched"], f"{what}: fetched {state['fetched']}")
    print(f"{what}: {state['status']}, step {state['step']}, "
          f"{[(g['tag'], g['sets'], g['step']) for g in state['galleries']]}, {state['facts']}")
    return state


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("page", type=Path)
    parser.add_argument("--screenshots", type=Path)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--then-wait", action="store_true")
    options = parser.parse_args()
    if not options.page.is_file():
        sys.exit(f"{options.page}: there is no such file")
    browser = Browser()

    def keep(name, browser=browser):
        if options.screenshots:
            options.screenshots.mkdir(parents=True, exist_ok=True)
            browser.screenshot(options.screenshots / name)

    try:
        browser.open(options.page)
        time.sleep(4)
        first = look(browser, "at first")
        keep("first.png")
        check(first["status"] == "running", "the run goes on while the page is opened")
        time.sleep(options.seconds)
        second = look(browser, "later")
        keep("later.png")
        check(second["step"] > first["step"], "the page follows the steps")
        grown = all(b["last"] > a["last"] for a, b in zip(first["charts"], second["charts"]))
        check(grown, "the curves follow the steps")
        sets = [sum(gallery["sets"] for gallery in state["galleries"]) for state in (first, second)]
        print(f"sets of pictures: {sets[0]}, then {sets[1]}")
        if options.then_wait:
            while browser.run("return document.body.dataset.status") == "running":
                time.sleep(2)
            last = look(browser, "at the end")
            keep("end.png")
            check(last["galleries"] and sum(g["sets"] for g in last["galleries"]) > sets[0], "new pictures came in")
            with tempfile.TemporaryDirectory() as folder:
                alone = Path(shutil.copy(options.page, folder))
                browser.open(alone)
                mailed = look(browser, "alone")
            for key in ["step", "status", "facts", "settings", "charts"]:
                check(mailed[key] == last[key], f"alone the page shows the same {key}")
        check(not browser.errors(), f"scripts failed: {browser.errors()}")
    finally:
        browser.close()
    if options.screenshots:
        dark = Browser(dark=True)
        try:
            dark.open(options.page)
            time.sleep(2)
            keep("dark.png", dark)
        finally:
            dark.close()
    print("failed" if failures else "the page follows the run")
    sys.exit(1 if failures else 0)


main()
