"""Programs that run beside each other for a while, and durations of rules that are pressed together to fit into it."""
import re
import signal
import subprocess
import time
import urllib.request

units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def shorter(duration, factor):
    seconds = sum(float(number) * units[unit] for number, unit in re.findall(r"([0-9.]+)(ms|s|m|h|d)", duration))
    return f"{max(round(seconds / factor * 1000), 1)}ms"


class Programs:
    """`with Programs(folder)`: what was started is stopped at the end, in the opposite order; logs are in the folder."""

    def __init__(self, folder):
        self.folder, self.processes = folder, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(self, name, *command):
        with open(self.folder / f"{name}.log", "wb") as log:
            process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def wait_for(self, url, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(url, timeout=5).close()
                return
            except OSError:
                time.sleep(0.1)
        raise TimeoutError(f"{url} does not answer; logs are in {self.folder}")
