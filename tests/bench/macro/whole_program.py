#!/usr/bin/env python3
"""What the whole program costs, against the recorded night's upstreams on loopback and on a replay.

  whole_program.py BINARY RECORDINGS [--minutes 3] [--starts 21]
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "end_to_end"))
from exporter import Exporter, wait_for  # noqa: E402
from fake_upstreams import Upstreams  # noqa: E402
from processes import cpu_seconds, memory_mebibytes, middle, table  # noqa: E402


def start_milliseconds(binary, recording):
    """From the start of the process to the first scrape that is answered by a ready exporter."""
    begin = time.monotonic()
    with Exporter(binary, "--replay", str(recording)) as exporter:
        while exporter.request("/-/ready")[0] != 200:
            time.sleep(0.001)
        status, _, body = exporter.request("/metrics")
        assert status == 200 and b"shortcircuit_finding{" in body
        return (time.monotonic() - begin) * 1e3


def live(binary, configuration, seconds):
    """(share of a core in %, resident MiB, peak MiB, polls a minute) while it reads upstreams."""
    with Exporter(binary, "--config", configuration) as exporter:
        wait_for("every source", lambda: exporter.ready() and " 0\n" not in "".join(
            line + "\n" for line in exporter.text().splitlines() if line.startswith("shortcircuit_source_up{")))
        pid = exporter.process.pid
        cpu, begin = cpu_seconds(pid), time.monotonic()
        while time.monotonic() - begin < seconds:
            time.sleep(15)
            exporter.text()  # a Prometheus is there as well
        share = (cpu_seconds(pid) - cpu) / (time.monotonic() - begin) * 100
        return share, memory_mebibytes(pid), memory_mebibytes(pid, "VmHWM")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("recordings", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--starts", type=int, default=21)
    options = parser.parse_args()
    night = options.recordings / "night"
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        stripped = pathlib.Path(folder) / "stripped"
        subprocess.run(["strip", "-o", stripped, options.binary], check=True)
        rows.append(["size of the binary, stripped", f"{stripped.stat().st_size / 2**20:.1f} MiB", ""])
        starts = [start_milliseconds(options.binary, night) for _ in range(options.starts)]
        rows.append(["start to the first ready scrape, replay of the night, median", f"{middle(starts):.0f} ms", "< 150 ms"])
        upstreams = Upstreams(night, step="00-everything-broken", scratch=folder)
        configuration = pathlib.Path(folder) / "shortcircuit.yaml"
        # Intervals are the program's own defaults.
        configuration.write_text(upstreams.configuration().replace(", interval: 15s, timeout: 5s", "")
                                 .replace("  interval: 15s\n  timeout: 5s\n", ""))
        share, resident, peak = live(options.binary, configuration, options.minutes * 60)
        upstreams.close()
        rows.append(["the night's fleet over loopback, default intervals, a scrape every 15 s: share of a core",
                     f"{share:.2f} %", "< 0.5 %"])
        rows.append(["the same: resident memory", f"{resident:.1f} MiB ({peak:.1f} MiB peak)", "< 20 MiB"])
    print(table(["what", "measured", "goal"], rows))


if __name__ == "__main__":
    main()
