#!/usr/bin/env python3
"""A real etcd (Debian's etcd-server): three members with mutual TLS on loopback, read by the exporter
through the whole API and through the metrics port alone. A member stops, the quorum is lost, and
metrics and findings say so; one comes back, and they say that too.

usage: real_etcd_test.py BINARY
"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from exporter import Exporter, main, run, wait_for  # noqa: E402

BINARY = sys.argv[1]
MEMBERS = ("north-01", "south-01", "west-01")


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def make_certificates(directory):
    """ca.pem, and server.* and client.* signed by it; other.* signed by another authority."""
    extensions = directory / "extensions"
    extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n")

    def authority(name):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                "-keyout", str(directory / f"{name}.key"), "-out", str(directory / f"{name}.pem"))

    def leaf(name, ca):
        request = directory / f"{name}.csr"
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}",
                "-keyout", str(directory / f"{name}.key"), "-out", str(request))
        openssl("x509", "-req", "-days", "2", "-in", str(request), "-CA", str(directory / f"{ca}.pem"),
                "-CAkey", str(directory / f"{ca}.key"), "-CAcreateserial", "-extfile", str(extensions),
                "-out", str(directory / f"{name}.pem"))

    authority("ca")
    authority("other-ca")
    leaf("server", "ca")
    leaf("client", "ca")
    leaf("other", "other-ca")


class Cluster:
    """Three members on loopback; stop and start them by name."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="etcd-"))
        make_certificates(self.directory)
        ports = free_ports(9)
        self.client = dict(zip(MEMBERS, ports[0:3]))
        self.peer = dict(zip(MEMBERS, ports[3:6]))
        self.metrics = dict(zip(MEMBERS, ports[6:9]))
        self.processes = {}
        try:
            for name in MEMBERS:
                self.start(name)
        except BaseException:
            self.close()
            raise

    def start(self, name):
        here = self.directory
        tls = []
        for kind in ("", "peer-"):
            tls += [f"--{kind}cert-file={here}/server.pem", f"--{kind}key-file={here}/server.key",
                    f"--{kind}trusted-ca-file={here}/ca.pem", f"--{kind}client-cert-auth"]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("ETCD_")}
        arguments = {
            "name": name, "data-dir": here / name,
            "listen-client-urls": self.url(self.client, name), "advertise-client-urls": self.url(self.client, name),
            "listen-peer-urls": self.url(self.peer, name), "initial-advertise-peer-urls": self.url(self.peer, name),
            "listen-metrics-urls": f"http://127.0.0.1:{self.metrics[name]}",
            "initial-cluster": ",".join(f"{each}={self.url(self.peer, each)}" for each in MEMBERS),
            "initial-cluster-token": "test", "heartbeat-interval": 500, "election-timeout": 5000}
        with open(here / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(
                ["etcd", *(f"--{key}={value}" for key, value in arguments.items()), *tls],
                stdout=log, stderr=log, env=environment)

    @staticmethod
    def url(ports, name):
        return f"https://127.0.0.1:{ports[name]}"

    def stop(self, *names):
        for name in names:
            process = self.processes.pop(name)
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:  # without a quorum it waits for one before it leaves
                process.kill()
                process.wait()

    def close(self):
        for process in self.processes.values():
            process.kill()
            process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def configuration(self, members, certificate="client"):
        """A file for the exporter; `members`: name → the line that says where it is."""
        here = self.directory
        path = here / f"exporter-{certificate}-{'metrics' if 'metrics_url' in str(members) else 'api'}.yaml"
        lines = "\n".join(f"    - {{name: {name}, {where}}}" for name, where in members.items())
        path.write_text(
            "etcd:\n  interval: 1s\n  timeout: 900ms\n  heartbeat_interval: 500ms\n  election_timeout: 5s\n"
            f"  tls: {{ca_file: {here}/ca.pem, cert_file: {here}/{certificate}.pem, key_file: {here}/{certificate}.key}}\n"
            f"  members:\n{lines}\n")
        return str(path)

    def by_api(self, certificate="client"):
        return self.configuration({name: f'url: "{self.url(self.client, name)}"' for name in MEMBERS}, certificate)

    def by_metrics(self):
        return self.configuration(
            {name: f'metrics_url: "http://127.0.0.1:{self.metrics[name]}/metrics"' for name in MEMBERS})


def findings(exporter):
    """{check/reason object} of the etcd layer."""
    return {f"{each['check']}/{each['reason']} {each['object']}" for each in exporter.findings()["findings"]
            if each["layer"] == "etcd"}


def series(family, **labels):
    inside = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
    return f"shortcircuit_{family}{{{inside}}}" if labels else f"shortcircuit_{family}"


def settled(exporter):
    exporter.ready()
    wait_for("three members that agree", lambda: exporter.metric(series("etcd_quorum_margin")) == 1)


def assert_whole(exporter):
    assert exporter.metric(series("etcd_members")) == 3
    for name in MEMBERS:
        assert exporter.metric(series("etcd_member_up", member=name)) == 1, name
        assert exporter.metric(series("etcd_has_leader", member=name)) == 1, name
        assert exporter.metric(series("etcd_database_bytes", member=name)) > 0, name
        assert exporter.metric(series("etcd_database_quota_bytes", member=name)) > 0, name
    assert exporter.metric(series("etcd_election_timeout_seconds")) == 5
    assert not findings(exporter), findings(exporter)


def lose_one_then_the_quorum(cluster, exporter):
    settled(exporter)
    assert_whole(exporter)

    def round_trips():
        text = exporter.text()
        return all(f'shortcircuit_etcd_peer_round_trip_seconds{{member="{a}",peer="{b}"}}' in text
                   for a in MEMBERS for b in MEMBERS if a != b)

    wait_for("a round trip from every member to every other, by name", round_trips)

    cluster.stop("west-01")
    wait_for("the finding that no margin is left",
             lambda: "quorum_margin_zero/member_down etcd" in findings(exporter))
    # Page and metrics are asked for one after the other: a snapshot may come in between.
    wait_for("the member that is down", lambda: exporter.metric(series("etcd_member_up", member="west-01")) == 0)
    assert exporter.metric(series("etcd_member_up", member="north-01")) == 1
    wait_for("no margin", lambda: exporter.metric(series("etcd_quorum_margin")) == 0)
    assert "quorum_lost/no_leader etcd" not in findings(exporter)

    cluster.stop("south-01")
    wait_for("the finding that the quorum is lost", lambda: "quorum_lost/no_leader etcd" in findings(exporter))
    wait_for("a negative margin", lambda: (exporter.metric(series("etcd_quorum_margin")) or 0) < 0)
    wait_for("no leader", lambda: exporter.metric(series("etcd_has_leader", member="north-01")) == 0)
    assert exporter.metric(series("etcd_members")) == 3
    assert "quorum_margin_zero/member_down etcd" not in findings(exporter)

    for name in ("south-01", "west-01"):
        cluster.start(name)
    wait_for("the cluster to be whole again", lambda: exporter.metric(series("etcd_quorum_margin")) == 1 and
             not {each for each in findings(exporter) if each.startswith("quorum")})


def test_by_the_whole_api():
    with Cluster() as cluster, Exporter(BINARY, "--config", cluster.by_api()) as exporter:
        lose_one_then_the_quorum(cluster, exporter)


def test_by_metrics_alone():
    with Cluster() as cluster, Exporter(BINARY, "--config", cluster.by_metrics()) as exporter:
        lose_one_then_the_quorum(cluster, exporter)


def test_a_certificate_of_another_authority_is_the_exporters_fault():
    with Cluster() as cluster:
        with Exporter(BINARY, "--config", cluster.by_api()) as exporter:
            settled(exporter)
        with Exporter(BINARY, "--config", cluster.by_api("other")) as exporter:
            exporter.ready()
            wait_for("failures of the handshake", lambda: exporter.metric(
                'shortcircuit_source_poll_failures_total{source="etcd",target="north-01",reason="tls"}') > 0)
            assert not findings(exporter), findings(exporter)
            assert exporter.metric(series("etcd_quorum_margin")) is None
            assert exporter.metric(series("etcd_member_up", member="north-01")) is None
            assert exporter.metric(series("layer_findings", layer="etcd")) is None


def test_check_says_what_is_fine():
    with Cluster() as cluster:
        configuration = cluster.by_api()

        def fine():
            code, _, _ = run(BINARY, "check", "--config", configuration)
            return code == 0

        wait_for("a check without findings", fine)
        cluster.stop("west-01")
        code, out, err = run(BINARY, "check", "--config", configuration)
        assert code == 1 and "quorum_margin_zero" in out and "west-01" in out, (code, out, err)


if shutil.which("etcd") is None:
    print("no etcd here: install etcd-server")
    sys.exit(77)
main([test_by_the_whole_api, test_by_metrics_alone, test_a_certificate_of_another_authority_is_the_exporters_fault,
      test_check_says_what_is_fine])
