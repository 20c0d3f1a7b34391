"""Starts the exporter for a test and talks to it."""
import http.client
import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.request

PATIENCE_SECONDS = 300  # against hanging only; no test asserts a time
# A sanitizer keeps what was freed: how much memory is resident says nothing about the program then.
MEMORY_COUNTS = "SHORTCIRCUIT_SANITIZE" not in os.environ


def wait_for(what, question, patience=PATIENCE_SECONDS):
    """The first true answer of `question`; fails loudly when it never comes."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        answer = question()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for {what}")


class Exporter:
    def __init__(self, binary, *arguments, command="serve", environment=None, tls=None):
        self.tls = tls  # an ssl.SSLContext when it serves HTTPS; the certificate has to be for `localhost`
        self.process = subprocess.Popen(
            [binary, command, "--web.listen-address", "127.0.0.1:0", *arguments],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
            env={**os.environ, **(environment or {})})
        self.log = []
        self.address = None
        listening = threading.Event()

        def read():
            for line in self.process.stderr:
                self.log.append(line.rstrip())
                found = re.search(r"msg=listening address=(\S+)", line)
                if found:
                    self.address = found.group(1)
                    listening.set()
            listening.set()

        self.reader = threading.Thread(target=read, daemon=True)
        self.reader.start()
        listening.wait(PATIENCE_SECONDS)
        if not self.address:
            self.process.wait(PATIENCE_SECONDS)
            raise AssertionError("the exporter did not start:\n" + "\n".join(self.log))

    def request(self, path, method="GET", headers=None, body=None):
        """(status, headers, body bytes)"""
        host, port = self.address.rsplit(":", 1)
        if self.tls:
            connection = http.client.HTTPSConnection("localhost", int(port), timeout=PATIENCE_SECONDS, context=self.tls)
        else:
            connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            return response.status, dict((k.lower(), v) for k, v in response.getheaders()), response.read()
        finally:
            connection.close()

    def text(self, path="/metrics"):
        status, _, body = self.request(path)
        assert status == 200, (path, status, body[:200])
        return body.decode()

    def ready(self):
        wait_for("the first snapshot", lambda: self.request("/-/ready")[0] == 200)
        return self

    def metric(self, selector):
        """Value of the one series that starts with `selector`; None when there is none."""
        for line in self.text().splitlines():
            if line.startswith(selector + " ") or (line.startswith(selector) and selector.endswith("}")):
                return float(line.rsplit(" ", 1)[1])
        return None

    def values(self, start):
        """Values of every series that starts with `start`."""
        return [float(line.rsplit(" ", 1)[1]) for line in self.text().splitlines() if line.startswith(start)]

    def findings(self):
        return json.loads(self.text("/api/findings"))

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_SECONDS)
        self.reader.join(PATIENCE_SECONDS)  # `log` is whole
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        code = self.stop()
        assert code == 0, (code, self.log[-20:])


def run(binary, *arguments, environment=None):
    """(exit code, standard output, standard error)"""
    done = subprocess.run([binary, *arguments], capture_output=True, text=True, timeout=PATIENCE_SECONDS,
                          env={**os.environ, **(environment or {})})
    return done.returncode, done.stdout, done.stderr


def main(tests):
    """Runs the named functions, prints one line each; exits 1 when one failed, after all of them."""
    import sys
    import traceback
    failed = 0
    for test in tests:
        try:
            test()
            print("ok      ", test.__name__, flush=True)
        except Exception:
            failed += 1
            print("FAILED  ", test.__name__, flush=True)
            traceback.print_exc()
    sys.exit(1 if failed else 0)
