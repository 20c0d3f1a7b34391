"""A real Prometheus that scrapes an exporter through a replay, with the project's rules: for tests and for the preview.

Time is pressed together: a step stands for seconds instead of half a minute and more, so every duration of the rules is divided too.
"""
import datetime
import json
import pathlib
import re
import signal
import socket
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

from viewer.programs import Programs, shorter

root = pathlib.Path(__file__).resolve().parents[2]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def write_rules(folder, factor):
    for path in sorted((root / "rules").glob("alerts/*.yaml")) + sorted((root / "rules").glob("recording/*.yaml")):
        content = yaml.safe_load(path.read_text())
        for group in content["groups"]:
            group["interval"] = "1s"
            for rule in group["rules"]:
                for key in ("for", "keep_firing_for"):
                    if key in rule:
                        rule[key] = shorter(rule[key], factor)
                # A range of less than three scrapes would see nothing.
                rule["expr"] = re.sub(r"\[(\w+)\]", lambda found: f"[{shorter(found[1], min(factor, 100))}]", rule["expr"])
        (folder / path.name).write_text(yaml.safe_dump(content, allow_unicode=True))


class Replay(Programs):
    """`with Replay(...)`: both programs run, and are stopped at the end."""

    def __init__(self, binary, recording, folder, step_seconds=2, factor=120, twice=False):
        super().__init__(pathlib.Path(folder))
        self.binary, self.recording = binary, pathlib.Path(recording)
        self.step_seconds, self.factor = step_seconds, factor
        self.instances = ["first", "second"] if twice else [None]  # read twice: as two exporters that see the same
        self.steps = sorted(path.parent.name for path in self.recording.glob("*/recorded_at"))

    def __enter__(self):
        exporter, self.port = free_port(), free_port()
        (self.folder / "rules").mkdir(parents=True)
        write_rules(self.folder / "rules", self.factor)
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules/*.yaml"],
            "scrape_configs": [{"job_name": "shortcircuit", "static_configs": [
                {"targets": [f"127.0.0.1:{exporter}"], "labels": {"instance": name} if name else {}} for name in self.instances]}]}))
        try:
            # Prometheus takes seconds to its first scrape, and must not miss the first step: it begins, then the exporter.
            self.start("prometheus", "prometheus", f"--config.file={self.folder}/prometheus.yml",
                        f"--storage.tsdb.path={self.folder}/data", f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn")
            self.wait_for(f"http://127.0.0.1:{self.port}/-/ready")
            while not ask(f"http://127.0.0.1:{self.port}", "query", query="up")["result"][len(self.instances) - 1:]:
                time.sleep(0.2)
            self.start("exporter", self.binary, "serve", "--replay", self.recording, "--replay.step-interval",
                        f"{self.step_seconds}s", "--web.listen-address", f"127.0.0.1:{exporter}")
            self.wait_for(f"http://127.0.0.1:{exporter}/-/ready")
        except BaseException:
            self.__exit__()
            raise
        self.begin = time.time()
        return self

    def play(self, steps=None):
        """Waits until the given number of steps stood; all of them, and a moment more, if none is given."""
        end = self.begin + self.step_seconds * (steps or len(self.steps) + 1)
        while time.time() < end:
            for process in self.processes:
                if process.poll() is not None:
                    raise RuntimeError(f"{process.args[0]} ended with {process.returncode}; logs are in {self.folder}")
            time.sleep(0.2)

    def stop_exporter(self):
        """Ends the exporter and waits until Prometheus knows that it is gone."""
        exporter = self.processes.pop()
        exporter.send_signal(signal.SIGTERM)
        exporter.wait(10)
        while ask(f"http://127.0.0.1:{self.port}", "query", query="up == 1")["result"]:
            time.sleep(0.2)

    def moments(self):
        """Time of the last scrape of each step that was seen, in order. A step is known by the moment it was recorded at."""
        url = f"http://127.0.0.1:{self.port}"
        series = ask(url, "query", query="shortcircuit_snapshot_timestamp_seconds[1h]")["result"]
        seen = {float(value): at for at, value in series[0]["values"]}
        texts = {step: (self.recording / step / "recorded_at").read_text().strip() for step in self.steps}
        recorded = {step: datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() for step, text in texts.items()}
        return {step: seen[moment] for step, moment in recorded.items() if moment in seen}


def ask(url, path, **parameters):
    """Data of an answer of Prometheus. Raises ValueError with Prometheus' own words."""
    try:
        with urllib.request.urlopen(f"{url}/api/v1/{path}?{urllib.parse.urlencode(parameters, doseq=True)}", timeout=60) as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        raise ValueError(json.load(error).get("error", str(error))) from None
