#!/usr/bin/env python3
"""One scrape of the same series, from four servers on this machine in one run:

  ours       this product's server, which copies bytes that were rendered before
  Exposer    prometheus-cpp's own server, which renders at each scrape
  nginx      the same bytes as a file: the practical limit
  node       prometheus-node-exporter with its own series: what people are used to

  compare_servers.py SERVE_SERIES [--seconds 3] [--rounds 5]

One client at a time (as Prometheus does), by wrk, over connections that are kept. The servers take
turns in every round; a figure is the median of the rounds.
"""
import argparse
import contextlib
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from processes import cpu_seconds, middle, table

SERIES = (1_000, 10_000, 100_000)
NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{}}
http {{
  access_log off; gzip_static on; keepalive_requests 1000000000; sendfile on;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  default_type "text/plain; version=0.0.4; charset=utf-8";
  server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port, packed):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics",
                                     headers={"Accept-Encoding": "gzip" if packed else "identity"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.headers.get("Content-Encoding", ""), answer.read()


@contextlib.contextmanager
def running(command, port):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError):
                ask(port, False)
                break
            assert process.poll() is None, (command, process.returncode)
            time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]


def measure(pid, port, packed, seconds):
    """(p50 ms, p99 ms, CPU ms a scrape)"""
    before = cpu_seconds(pid)
    text = subprocess.run(["wrk", "-t1", "-c1", f"-d{seconds}s", "--timeout", "60s", "--latency",
                           "-H", f"Accept-Encoding: {'gzip' if packed else 'identity'}",
                           f"http://127.0.0.1:{port}/metrics"], capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in text, text  # the Exposer resets each connection: a "read error" behind a whole answer
    requests = int(re.search(r"(\d+) requests in", text).group(1))
    p50, p99 = (milliseconds(re.search(rf"(?m)^\s+{percent}%\s+(\S+)", text).group(1)) for percent in (50, 99))
    return p50, p99, (cpu_seconds(pid) - before) / requests * 1e3


def servers(program, series, folder):
    """{name: (command, port)}"""
    folder.mkdir()
    folder.chmod(0o755)
    ports = {name: free_port() for name in ("ours", "Exposer", "nginx", "node")}
    subprocess.run([program, "file", str(series), folder / "metrics"], check=True)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=ports["nginx"]))
    commands = {
        "ours": [program, "ours", str(series), str(ports["ours"])],
        "Exposer": [program, "exposer", str(series), str(ports["Exposer"])],
        "nginx": [shutil.which("nginx") or "/usr/sbin/nginx", "-c", folder / "nginx.conf"],
        "node": ["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{ports['node']}",
                 "--web.max-requests=0", "--log.level=error"],
    }
    if series != SERIES[0]:
        del commands["node"]  # it has the series that it has
    return {name: (command, ports[name]) for name, command in commands.items()}


def same_series(started):
    """All of them serve what they are said to serve."""
    def series_of(port):
        lines = ask(port, False)[1].decode().splitlines()
        return {line for line in lines if line.startswith("bench_")}
    ours = series_of(started["ours"])
    assert ours == series_of(started["nginx"])
    # Labels stand in another order there.
    assert len(ours) == len(series_of(started["Exposer"])), "the Exposer has other series"
    return len(ours)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rows, sizes = [], []
    with tempfile.TemporaryDirectory() as scratch:
        pathlib.Path(scratch).chmod(0o755)
        for series in SERIES:
            with contextlib.ExitStack() as stack:
                offered = servers(options.program, series, pathlib.Path(scratch) / str(series))
                pids = {name: stack.enter_context(running(command, port)) for name, (command, port) in offered.items()}
                ports = {name: port for name, (_, port) in offered.items()}
                assert same_series(ports) == series
                for packed in (False, True):
                    measured = {name: [] for name in offered}
                    for _ in range(options.rounds):
                        for name in offered:
                            measured[name].append(measure(pids[name], ports[name], packed, options.seconds))
                    figures = {name: [middle(values) for values in zip(*runs)] for name, runs in measured.items()}
                    ours = figures["ours"]
                    for name, figure in figures.items():
                        encoding, body = ask(ports[name], packed)
                        assert bool(encoding) == packed, (name, encoding)
                        kept = f"{series:,}" if name != "node" else "its own"
                        rows.append([kept, "gzip" if packed else "plain", name, f"{len(body) / 1000:.0f} kB",
                                     *(f"{value:.3f}" for value in figure),
                                     "" if name == "ours" else f"{figure[0] / ours[0]:.2f}",
                                     "" if name == "ours" else f"{figure[2] / ours[2]:.2f}"])
                        print(rows[-1], file=sys.stderr, flush=True)
    print(table(["series", "encoding", "server", "body", "p50 ms", "p99 ms", "CPU ms a scrape",
                 "p50 / ours", "CPU / ours"], rows))


if __name__ == "__main__":
    main()
