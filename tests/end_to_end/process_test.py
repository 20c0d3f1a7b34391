#!/usr/bin/env python3
"""The binary as its users start it: commands, exit codes, signals, reloads, upstreams that hang or change.

usage: process_test.py BINARY RECORDINGS
"""
import contextlib
import gzip
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from exporter import PATIENCE_SECONDS, Exporter, main, run, wait_for  # noqa: E402
from fake_upstreams import Upstream, Upstreams  # noqa: E402

BINARY, RECORDINGS = sys.argv[1], pathlib.Path(sys.argv[2])
NIGHT = RECORDINGS / "night"
SCRATCH = pathlib.Path(tempfile.mkdtemp(prefix="sc-"))


def test_version_and_help():
    code, out, _ = run(BINARY, "--version")
    assert code == 0 and re.search(r"\d+\.\d+\.\d+", out), out
    code, out, _ = run(BINARY, "--help")
    assert code == 0
    for word in ("serve", "check", "depends", "capture", "--replay", "--config"):
        assert word in out, word


def test_unknown_flag_is_one_clear_line():
    code, _, err = run(BINARY, "--web.listen-adress", ":1")
    assert code == 2 and len(err.strip().splitlines()) <= 2 and "web.listen-address" in err, err


def test_bad_configuration_names_every_place():
    bad = SCRATCH / "bad.yaml"
    bad.write_text("kubernets: {}\ntraefik: {url: ftp://x, intervall: 5s}\n")
    code, _, err = run(BINARY, "--config", str(bad), "--config.check")
    assert code == 2, err
    assert f"{bad}:1:1:" in err and f"{bad}:2:" in err and "kubernetes" in err and "interval" in err, err
    code, _, err = run(BINARY, "serve", "--config", str(SCRATCH / "absent.yaml"))
    assert code == 2 and "absent.yaml" in err, err


def test_good_configuration():
    good = SCRATCH / "good.yaml"
    good.write_text("traefik: {url: http://127.0.0.1:1}\n")
    code, _, err = run(BINARY, "--config", str(good), "--config.check")
    assert code == 0, err


def test_busy_port():
    good = SCRATCH / "good.yaml"
    good.write_text("traefik: {url: http://127.0.0.1:1}\n")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, _, err = run(BINARY, "serve", "--config", str(good), "--web.listen-address", f"127.0.0.1:{port}")
    assert code == 2, (code, err)
    assert str(port) in err.strip().splitlines()[-1], err


def test_serving_a_replay():
    with Exporter(BINARY, "--replay", str(NIGHT), "--replay.step-interval", "600s") as exporter:
        exporter.ready()
        status, headers, body = exporter.request("/metrics")
        assert status == 200 and headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        status, headers, packed = exporter.request("/metrics", headers={"Accept-Encoding": "gzip"})
        assert headers["content-encoding"] == "gzip" and gzip.decompress(packed) == body
        status, headers, plain = exporter.request("/metrics", headers={"Accept-Encoding": "gzip;q=0"})
        assert "content-encoding" not in headers and plain == body
        status, headers, nothing = exporter.request("/metrics", method="HEAD")
        assert status == 200 and nothing == b"" and int(headers["content-length"]) == len(body)
        for path, method, wanted in (("/metrics/more", "GET", 404), ("/nothing", "GET", 404), ("/-/healthy", "GET", 200),
                                     ("/-/ready", "GET", 200), ("/-/reload", "GET", 405), ("/metrics", "DELETE", 405),
                                     ("/", "GET", 200), ("/api/findings", "GET", 200), ("/config", "GET", 200)):
            status, _, _ = exporter.request(path, method=method)
            assert status == wanted, (path, method, status)
        status, _, _ = exporter.request("/metrics", method="POST", body=b"x" * 100)
        assert status == 413, status
        assert exporter.metric("shortcircuit_config_last_reload_successful") == 1


def test_the_service_manager_hears_when_it_serves():
    """sd_notify's protocol, by a path and by an abstract name; nothing when the port is taken."""
    for name in (str(SCRATCH / "notify"), f"@shortcircuit-notify-{os.getpid()}"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(name.replace("@", "\0"))
            manager.settimeout(PATIENCE_SECONDS)
            with Exporter(BINARY, "--replay", str(NIGHT), environment={"NOTIFY_SOCKET": name}) as exporter:
                assert manager.recv(100) == b"READY=1"
                code, _, err = run(BINARY, "serve", "--replay", str(NIGHT), "--web.listen-address", exporter.address,
                                   environment={"NOTIFY_SOCKET": name})
                assert code == 2 and "Address already in use" in err, (code, err)
                manager.setblocking(False)
                try:
                    raise AssertionError(manager.recv(100))
                except BlockingIOError:
                    pass
    with Exporter(BINARY, "--replay", str(NIGHT), environment={"NOTIFY_SOCKET": "/nowhere/notify"}) as exporter:
        wait_for("the warning", lambda: any("NOTIFY_SOCKET=/nowhere/notify" in line and "No such file" in line
                                            for line in exporter.log))


def test_reload():
    config = SCRATCH / "reload.yaml"
    shutil.copy(NIGHT / "shortcircuit.yaml", config)
    with Exporter(BINARY, "--config", str(config), "--replay", str(NIGHT), "--replay.step-interval", "600s") as exporter:
        exporter.ready()
        assert exporter.request("/-/reload", method="POST")[0] == 200
        good = config.read_text()
        config.write_text(good + "\nunknown_key: 1\n")
        status, _, body = exporter.request("/-/reload", method="POST")
        assert status == 500 and b"unknown_key" in body, body
        wait_for("the metric of the failed reload", lambda: exporter.metric("shortcircuit_config_last_reload_successful") == 0)
        exporter.process.send_signal(signal.SIGHUP)
        config.write_text(good)
        exporter.process.send_signal(signal.SIGHUP)
        wait_for("the good reload", lambda: exporter.request("/metrics")[0] == 200 and
                 exporter.metric("shortcircuit_config_last_reload_successful") == 1)


def test_termination_while_an_upstream_hangs():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        config = SCRATCH / "hang.yaml"
        config.write_text(f"traefik: {{url: 'http://127.0.0.1:{silent.getsockname()[1]}', timeout: 3000s, interval: 6000s}}\n")
        exporter = Exporter(BINARY, "--config", str(config))
        connection, _ = silent.accept()
        assert exporter.request("/-/healthy")[0] == 200
        assert exporter.request("/-/ready")[0] == 503
        assert exporter.stop() == 0  # waits 300 s at the most; the poll would take 3000
        connection.close()


def test_check_and_depends():
    first = NIGHT / "00-everything-broken"
    code, out, err = run(BINARY, "check", "--replay", str(first))
    assert code == 1, (code, err)
    for word in ("taint_not_tolerated", "cure:", "LAYERS", "ROUTES"):
        assert word in out, word
    assert "\x1b" not in out, "colour only on a terminal"
    code, json_out, _ = run(BINARY, "check", "--replay", str(first), "--output", "json")
    assert code == 1 and json.loads(json_out)["findings"]
    lines = out.splitlines()
    for finding in json.loads(json_out)["findings"]:  # a cure is pasted: a line break would run its comment
        assert f"     cure: {finding['cure']}" in lines, finding["cure"]
    code, out, _ = run(BINARY, "check", "--replay", str(NIGHT))
    assert code == 0, out
    for step, wanted in (("00-everything-broken", {"endpoint": 3, "tailscale_path": 290}),
                         ("08-path-mtu-mended", {"tailscale_path": 290}), ("09-nebula-retired", {})):
        code, out, _ = run(BINARY, "depends", "10.67.0.0/16", "--replay", str(NIGHT), "--replay.step", step, "--output", "json")
        counts = {}
        for dependent in json.loads(out)["dependents"]:
            counts[dependent["dependency"]] = counts.get(dependent["dependency"], 0) + 1
        assert counts == wanted, (step, counts)
        assert code == (1 if wanted else 0), (step, code)
    code, _, err = run(BINARY, "depends", "nebulla", "--replay", str(first))
    assert code == 2 and "nebula" in err, err
    blind = SCRATCH / "blind.yaml"
    blind.write_text("traefik: {url: http://127.0.0.1:1}\n")
    code, out, err = run(BINARY, "depends", "10.0.0.0/8", "--config", str(blind))
    assert code == 2 and "kubernetes" in err and "Nothing" not in out, (code, out, err)


def test_depends_measures_no_path():
    upstreams = Upstreams(RECORDINGS / "path-mtu-clean", scratch=SCRATCH)
    config = SCRATCH / "paths.yaml"
    config.write_text(upstreams.configuration().replace("tailscale:", "tailscale:\n  path_mtu: true", 1))

    def pings_of(*command):
        for upstream in upstreams.all.values():
            upstream.requests.clear()
        run(BINARY, *command, "--config", str(config))
        asked = [request[1] for upstream in upstreams.all.values() for request in upstream.requests]
        assert any(path.startswith("/localapi/v0/status") for path in asked), asked
        return [path for path in asked if path.startswith("/localapi/v0/ping")]
    try:
        assert pings_of("check")
        assert not pings_of("depends", "10.0.0.0/8")
    finally:
        upstreams.close()


def test_nothing_judged_and_only_information_are_not_taken_for_health_or_harm():
    nothing = SCRATCH / "nothing.yaml"
    nothing.write_text("probes: []\n")
    code, out, err = run(BINARY, "check", "--config", str(nothing))
    assert code == 2 and "nothing is judged" in out and "nothing found" not in out, (code, out, err)
    informed = SCRATCH / "informed.yaml"
    informed.write_text((RECORDINGS / "path-mtu-over-derp" / "shortcircuit.yaml").read_text()
                        .replace("path_mtu: true", "path_mtu: false"))
    code, out, err = run(BINARY, "check", "--config", str(informed), "--replay", str(RECORDINGS / "path-mtu-over-derp"))
    severities = {line.split()[1] for line in out.splitlines() if "·" in line and line.strip()[0].isdigit()}
    assert severities == {"info"} and code == 0 and "nothing found (" in out.splitlines()[0], (code, out, err)


def test_what_is_not_there_is_named_once():
    for arguments, wanted in (
            (("check", "--config", "/nope.yaml"), "/nope.yaml: cannot be read: No such file or directory; expected a configuration file"),
            (("check", "--replay", str(RECORDINGS)), "recordings in it: ")):
        code, out, err = run(BINARY, *arguments)
        assert code == 2 and wanted in err and err.count("\n") == 1 and err.count(arguments[2]) == 1, (code, out, err)
    bad = SCRATCH / "bad-web.yaml"
    bad.write_text("basic_auth_userz: {}\n")
    code, out, err = run(BINARY, "--config.check", "--config", str(NIGHT / "shortcircuit.yaml"), "--web.config.file", str(bad))
    assert code == 2 and err.count("basic_auth_userz") == 1 and "access is closed" not in err, (code, out, err)


def test_a_probe_that_was_not_sent_is_unknown():
    probe = SCRATCH / "probe.yaml"
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        proxy = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        for tls, wanted, status in (("", 1, "broken"), (", tls: {ca_file: /nowhere/ca.pem}", 2, "unknown")):
            probe.write_text(f"probes:\n  - {{name: cameras, url: 'https://127.0.0.1:1/', proxy: '{proxy}'{tls}}}\n")
            code, out, err = run(BINARY, "check", "--config", str(probe), "--output", "json")
            assert code == wanted, (tls, code, out, err)
            layers = {layer["layer"]: layer["status"] for layer in json.loads(out)["layers"]}
            assert layers["proxy_chain"] == status, (tls, layers)
            assert layers["path_mtu"] == "unknown", (tls, layers)  # no answer came that could stall


def test_a_status_file_that_would_never_end_is_not_begun():
    os.mkfifo(SCRATCH / "fifo.json")
    config = SCRATCH / "fifo.yaml"
    config.write_text(f"tailscale: {{nodes: [{{name: a, status_file: {SCRATCH / 'fifo.json'}}}]}}\n")
    code, out, err = run(BINARY, "check", "--config", str(config))
    assert code == 2 and "want a file that can be read at once" in out + err, (code, out, err)


def test_a_target_of_which_no_poll_comes_back_is_unknown():
    # Its thread stands still in the line that says that the source cannot be read: nobody takes it.
    headscale = Upstream("headscale", [NIGHT / "00-everything-broken" / "headscale"],
                         {"/health": "health", "/api/v1/node": "node", "/api/v1/apikey": "apikey", "/api/v1/preauthkey": "preauthkey"})

    def refuse(handler, _):
        handler.send_response(500)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return True
    config = SCRATCH / "silent.yaml"
    config.write_text(f"headscale: {{url: '{headscale.url}', api_key: x, interval: 1s, timeout: 500ms}}\n")
    log, child_log = os.pipe()
    process = subprocess.Popen([BINARY, "serve", "--config", str(config), "--web.listen-address", "127.0.0.1:0"], stderr=child_log)
    try:
        text = ""
        while "msg=listening" not in text:
            text += os.read(log, 4096).decode()
        url = "http://" + re.search(r"msg=listening address=(\S+)", text).group(1) + "/metrics"

        def said():
            with contextlib.suppress(OSError):
                return "shortcircuit_headscale_node_online{" in urllib.request.urlopen(url, timeout=60).read().decode()
        wait_for("what Headscale says", said)
        own = os.open(f"/proc/self/fd/{child_log}", os.O_WRONLY | os.O_NONBLOCK)  # only this one does not wait
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(own, b"." * 65536)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(own, b".")
        headscale.behaviour = refuse
        wait_for("that it is unknown", lambda: said() is False, patience=300)
    finally:
        process.kill()
        process.wait()
        headscale.close()


def test_an_upstream_that_hangs_leaves_time_for_the_others():
    config = SCRATCH / "slow.yaml"
    with socket.socket() as silent, socket.socket() as nobody:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        nobody.bind(("127.0.0.1", 0))
        config.write_text(f"headscale: {{url: 'http://127.0.0.1:{silent.getsockname()[1]}', api_key: x, timeout: 14s}}\n"
                          f"probes:\n  - {{name: cameras, url: 'http://127.0.0.1:1/', proxy: 'http://127.0.0.1:{nobody.getsockname()[1]}'}}\n")
        code, out, err = run(BINARY, "check", "--config", str(config), "--output", "json")
        assert code == 1, (code, out, err)
        assert [found["check"] for found in json.loads(out)["findings"]] == ["proxy_unreachable"], out


def test_what_was_there_is_remembered_over_a_reload():
    upstreams = Upstreams(RECORDINGS / "healthy", scratch=SCRATCH)
    kubernetes = upstreams.all["kubernetes"]
    config = SCRATCH / "memory.yaml"
    config.write_text(upstreams.configuration(interval="10s", timeout="9s"))

    def disappeared(exporter):
        return [found["object"] for found in exporter.findings()["findings"] if found["reason"] == "disappeared"]

    def without_webhooks(handler, path):
        if "validatingwebhookconfigurations" not in path:
            return False
        handler.reply(200, "application/json", b'{"kind":"ValidatingWebhookConfigurationList","metadata":{"resourceVersion":"9"},"items":[]}')
        return True

    try:
        with Exporter(BINARY, "--config", str(config)) as exporter:
            exporter.ready()
            wait_for("what the cluster has", lambda: exporter.metric('shortcircuit_source_up{source="kubernetes",target=""}') == 1)
            assert not disappeared(exporter)
            kubernetes.behaviour = without_webhooks
            exporter.request("/-/reload", method="POST")  # the watches begin anew
            wait_for("the webhook that disappeared", lambda: disappeared(exporter))
            # What another cluster had is not missing in this one.
            other = Upstream("kubernetes", kubernetes.folders, kubernetes.table)
            upstreams.all["other"] = other
            other.behaviour = without_webhooks
            config.write_text(config.read_text().replace(kubernetes.url, other.url))
            exporter.request("/-/reload", method="POST")
            wait_for("the other cluster", lambda: not disappeared(exporter))
            assert any("validatingwebhookconfigurations" in request[1] for request in other.requests)
    finally:
        upstreams.close()


def test_a_kubeconfig_that_was_renewed_is_read_again():
    upstreams = Upstreams(RECORDINGS / "healthy", scratch=SCRATCH)
    kubernetes = upstreams.all["kubernetes"]
    accepted = ["first"]

    def refuse_others(handler, path):
        if handler.headers.get("Authorization") == "Bearer " + accepted[0]:
            return False
        handler.reply(401, "application/json", b'{"kind":"Status","code":401}')
        return True

    def write(token):
        kubeconfig.write_text(json.dumps({
            "current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
            "clusters": [{"name": "k", "cluster": {"server": kubernetes.url}}], "users": [{"name": "u", "user": {"token": token}}]}))

    def up(exporter):
        return exporter.metric('shortcircuit_source_up{source="kubernetes",target=""}')

    kubernetes.behaviour = refuse_others
    kubeconfig = SCRATCH / "kubeconfig"
    config = SCRATCH / "renewed.yaml"
    config.write_text(f"kubernetes: {{kubeconfig: {kubeconfig}, interval: 5s, timeout: 4900ms, watch: false}}\n")
    write("first")
    try:
        with Exporter(BINARY, "--config", str(config)) as exporter:
            exporter.ready()
            wait_for("the first token", lambda: up(exporter) == 1)
            accepted[0] = "second"
            wait_for("the refusal", lambda: up(exporter) == 0)
            write("wrong")  # and still refused
            seen = len(kubernetes.requests)
            wait_for("the wrong token", lambda: any(r[2].get("Authorization") == "Bearer wrong" for r in kubernetes.requests[seen:]))
            assert up(exporter) == 0
            write("second")
            wait_for("the renewed token", lambda: up(exporter) == 1)
            assert not any("first" in line or "second" in line for line in exporter.log), "no secret is logged"
    finally:
        upstreams.close()


if __name__ == "__main__":
    try:
        main([test for name, test in list(globals().items()) if name.startswith("test_")])
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)
