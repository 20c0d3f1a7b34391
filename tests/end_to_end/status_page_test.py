#!/usr/bin/env python3
"""The status page in a real browser: what it says, how wide it gets, what it looks like.

usage: status_page_test.py BINARY RECORDINGS PICTURES
       status_page_test.py BINARY RECORDINGS --picture FILE    the picture in the README, and nothing else:
         tests/end_to_end/status_page_test.py build/release/shortcircuit-exporter tests/recordings --picture dashboards/pictures/status-page.png

Pictures of the healthy fleet and of the night, wide and narrow, light and dark, are left in PICTURES.
Without Chromium it ends with 77 (skipped).
"""
import contextlib
import functools
import html
import html.parser
import http.server
import json
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from exporter import Exporter, main  # noqa: E402

BINARY, RECORDINGS, LAST = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WIDE, NARROW = 1280, 375
LAYERS = ["load balancer", "external name", "middleware", "webhook", "endpoint address", "endpoint port",
          "proxy chain", "path MTU", "backend", "mesh", "etcd", "storage"]
VOID = {"meta", "link", "br", "col", "img", "hr", "input"}


def browse(address, *arguments, size=(WIDE, 2000), dark=False):
    """Standard output of one run of the browser on a fresh profile."""
    with tempfile.TemporaryDirectory(prefix="sc-browser-", ignore_cleanup_errors=True) as profile:
        done = subprocess.run(
            [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--disable-dev-shm-usage", "--hide-scrollbars", f"--user-data-dir={profile}",
             f"--blink-settings=preferredColorScheme={0 if dark else 1}",
             f"--window-size={size[0]},{size[1]}", *arguments, address],
            capture_output=True, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:].decode(errors="replace")
    return done.stdout.decode()


class Page(html.parser.HTMLParser):
    """Elements, texts and whether every element is closed where it should be."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.words, self.ids = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.elements.append((tag, attributes))
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", "".join(self.words))

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@contextlib.contextmanager
def replayed(recording):
    with Exporter(BINARY, "--replay", str(RECORDINGS / recording), "--replay.step-interval", "1h") as exporter:
        exporter.ready()
        yield exporter


@functools.cache
def seen(recording):
    """(what the server sent, what the browser made of it, /api/findings)"""
    with replayed(recording) as exporter:
        return (exporter.text("/"), browse(f"http://{exporter.address}/", "--dump-dom"), exporter.findings())


def png_rows(path):
    """Width, height and the number of different rows: a blank picture has one or two."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    packed, at = b"", 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IDAT":
            packed += data[at + 8:at + 8 + length]
        at += 12 + length
    rows = zlib.decompress(packed)
    stride = len(rows) // height
    return width, height, len({rows[row * stride:(row + 1) * stride] for row in range(height)})


def check_well_formed(text):
    page = Page(text)
    assert len(page.ids) == len(set(page.ids)), "an id stands twice"
    assert not page.of("script") and not page.of("img") and not page.of("iframe")
    for attributes in page.of("a"):
        target = attributes["href"]
        assert target.startswith("/") or target[1:] in page.ids, f"a link leads nowhere: {target}"
    for _, attributes in page.elements:
        assert not any(name.startswith("on") for name in attributes), attributes
        for reference in attributes.get("aria-labelledby", "").split():
            assert reference in page.ids, reference
    assert all(attributes.get("scope") for attributes in page.of("th")), "a header cell without scope"
    assert len(page.of("caption")) == len(page.of("table"))
    assert len(page.of("h1")) == 1 and page.of("html")[0]["lang"] == "en"
    assert len(text) < 2_000_000
    return page


def test_the_night_says_every_layer_cause_and_cure():
    sent, dom, judged = seen("night")
    page = check_well_formed(sent)
    assert "<script" not in dom
    for number, layer in enumerate(LAYERS, 1):
        assert f"{number} {layer}" in page.text, layer
    for layer in judged["layers"]:
        expected = {"ok": "ok", "unknown": "unknown", "off": "not configured",
                    "broken": f"{layer['findings']} finding"}[layer["status"]]
        name = layer["layer"].replace("_", " ").replace(" mtu", " MTU")
        assert f"{name} " in page.text and expected in page.text, layer
    assert judged["findings"], "the night has findings"
    for finding in judged["findings"]:
        assert finding["object"] in page.text, finding
        assert finding["check"] in page.text, finding
        alike = [other for other in judged["findings"] if other["check"] == finding["check"]]
        assert any(re.sub(r"\s+", " ", other["cure"]) in page.text for other in alike), finding
    causes = [route for route in judged["routes"] if route["cause"]]
    assert len(causes) == 4 and page.text.count("cause") >= 4
    for route in causes:
        assert route["host"] in page.text
        assert route["cause"]["reason"].replace("_", " ") in page.text, route
    assert "direct over nebula (overlay, retired)" in page.text
    assert "retired, still used" in page.text


def test_the_healthy_fleet_has_no_finding_on_its_page():
    sent, dom, judged = seen("healthy")
    page = check_well_formed(sent)
    assert "<script" not in dom
    assert not judged["findings"]
    assert "Nothing found" in page.text
    assert not any(attributes.get("class", "").split()[-1:] == ["bad"] for _, attributes in page.elements)
    assert "Findings" not in page.text.replace("Findings as JSON", "")


def test_every_recording_makes_a_whole_page():
    for recording in sorted(path.parent.name for path in RECORDINGS.glob("*/shortcircuit.yaml")):
        with replayed(recording) as exporter:
            try:
                check_well_formed(exporter.text("/"))
            except AssertionError as error:
                raise AssertionError(f"{recording}: {error}") from error


MEASURE = """<!DOCTYPE html><title>m</title><body style="margin:0">
<iframe id="f" src="/page" style="border:0;width:%dpx;height:900px"></iframe>
<script>document.getElementById("f").onload = event => {
  const root = event.target.contentDocument.documentElement;
  const wide = [...root.querySelectorAll("body *")].filter(element =>
    !element.closest(".scroll > *") && element.getBoundingClientRect().right > root.clientWidth + 1);
  const out = document.createElement("output");
  out.textContent = JSON.stringify({width: root.clientWidth, scroll: root.scrollWidth,
    wide: wide.slice(0, 5).map(element => element.outerHTML.slice(0, 120))});
  document.body.append(out);
};</script>"""


def measure(page, width):
    """How wide the page gets in a frame of that width, by a script beside it: it has none itself."""
    page = page.replace('<meta http-equiv="refresh"', '<meta name="no-refresh"')

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = {"/page": page, "/": MEASURE % width}.get(self.path, "").encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        dom = browse(f"http://127.0.0.1:{server.server_port}/", "--dump-dom", "--virtual-time-budget=8000")
    finally:
        server.shutdown()
        server.server_close()
    found = re.search(r"<output>(.*?)</output>", dom, re.DOTALL)
    assert found, dom[:500]
    return json.loads(html.unescape(found.group(1)))


def test_the_page_never_scrolls_sideways():
    for recording in ("night", "healthy"):
        for width in (320, NARROW, 768, WIDE):
            measured = measure(seen(recording)[0], width)
            assert measured["width"] == width, measured
            assert measured["scroll"] <= width and not measured["wide"], (recording, width, measured)


def test_pictures():
    folder = pathlib.Path(LAST[0])
    folder.mkdir(parents=True, exist_ok=True)
    for recording in ("night", "healthy"):
        with replayed(recording) as exporter:
            for width in (WIDE, NARROW):
                for dark in (False, True):
                    file = folder / f"{recording}-{width}{'-dark' if dark else ''}.png"
                    file.unlink(missing_ok=True)
                    browse(f"http://{exporter.address}/", f"--screenshot={file}", size=(width, 2400), dark=dark)
                    measured, height, rows = png_rows(file)
                    assert (measured, height) == (width, 2400), (file, measured, height)
                    assert rows > 200, f"{file} is blank: {rows} different rows"


def make_picture(file):
    with replayed("night") as exporter:
        browse(f"http://{exporter.address}/", f"--screenshot={pathlib.Path(file).resolve()}", size=(1100, 1000))
    print(f"{file}: {pathlib.Path(file).stat().st_size} bytes")


if __name__ == "__main__":
    if not BROWSER:
        print("skipped: no Chromium (deploy/install-packages test installs it)")
        sys.exit(77)
    if LAST[0] == "--picture":
        make_picture(LAST[1])
    else:
        main([test_the_night_says_every_layer_cause_and_cure, test_the_healthy_fleet_has_no_finding_on_its_page,
              test_every_recording_makes_a_whole_page, test_the_page_never_scrolls_sideways, test_pictures])
