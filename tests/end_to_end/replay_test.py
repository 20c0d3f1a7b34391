#!/usr/bin/env python3
"""Recordings: every page of them is one that Prometheus takes, a whole night needs little memory, and what was captured shows
what the network showed.

usage: replay_test.py BINARY RECORDINGS
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from exporter import MEMORY_COUNTS, Exporter, main, run, wait_for  # noqa: E402
from fake_upstreams import Upstreams  # noqa: E402

BINARY, RECORDINGS = sys.argv[1], pathlib.Path(sys.argv[2])
NIGHT = RECORDINGS / "night"
SCRATCH = pathlib.Path(tempfile.mkdtemp(prefix="sc-"))


def test_every_page_of_every_recording_passes_promtool():
    pages = 0
    for recording in sorted(p.parent for p in RECORDINGS.glob("*/shortcircuit.yaml")):
        steps = sorted(p for p in recording.iterdir() if (p / "recorded_at").exists())
        for step in steps or [recording]:
            with Exporter(BINARY, "--replay", str(step), "--replay.step-interval", "600s") as exporter:
                text = exporter.ready().text()
            done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0 and not done.stdout and not done.stderr, (step, done.stdout, done.stderr)
            pages += 1
    assert pages >= 72, pages


def test_the_whole_night_needs_little_memory():
    last = max(json.loads((NIGHT / "expected.json").read_text())["steps"])
    wanted = json.loads((NIGHT / "expected.json").read_text())["steps"][last]["findings"]
    wanted = sorted((found["check"], found["object"]) for found in wanted)
    with Exporter(BINARY, "--replay", str(NIGHT), "--replay.step-interval", "500ms") as exporter:
        exporter.ready()

        def ended():
            for path in ("/metrics", "/", "/api/findings"):
                exporter.request(path, headers={"Accept-Encoding": "gzip"})
            return sorted((found["check"], found["object"]) for found in exporter.findings()["findings"]) == wanted
        wait_for("the last step", ended)
        status = pathlib.Path(f"/proc/{exporter.process.pid}/status").read_text()
    peak_mib = int(re.search(r"VmHWM:\s*(\d+) kB", status).group(1)) / 1024
    print(f"         the night's peak: {peak_mib:.1f} MiB")
    assert peak_mib < 32 or not MEMORY_COUNTS, peak_mib


def stable(exposition):
    """Without what differs from run to run and says nothing about the upstreams."""
    changing = ("process_", "shortcircuit_source_", "shortcircuit_snapshot_timestamp", "shortcircuit_config_last_reload",
                "shortcircuit_finding_since", "shortcircuit_endpoint_address_stale_since")
    return sorted(line for line in exposition.splitlines() if not line.startswith("#") and not line.startswith(changing))


def test_capture_and_replay_are_alike():
    recording = NIGHT
    upstreams = Upstreams(recording, "00-everything-broken", SCRATCH)
    try:
        config = SCRATCH / "capture.yaml"
        source = (NIGHT / "shortcircuit.yaml").read_text()
        extra = source[source.index("networks:"):]
        config.write_text(upstreams.configuration(interval="60s", timeout="50s", extra=extra))
        written = SCRATCH / "captured"
        code, out, err = run(BINARY, "capture", str(written), "--config", str(config))
        assert code == 0, (out, err)
        with Exporter(BINARY, "--config", str(config)) as live:
            live.ready()  # which does not wait for ever for the last upstream
            wait_for("all upstreams", lambda: not re.search(r"^shortcircuit_source_up\{.*\} 0$", live.text(), re.M))
            from_network = stable(live.text())
        with Exporter(BINARY, "--replay", str(written), "--replay.step-interval", "600s") as replay:
            from_recording = stable(replay.ready().text())
        assert from_network == from_recording, set(from_network) ^ set(from_recording)
        assert len(from_network) > 500
        for request in [r for u in upstreams.all.values() for r in u.requests]:
            assert request[0] == "GET" or request[1].startswith(("/v3", "/localapi/v0/ping")), request[:2]
            assert "secrets" not in request[1], request[1]
    finally:
        upstreams.close()


if __name__ == "__main__":
    try:
        main([test for name, test in list(globals().items()) if name.startswith("test_")])
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)
