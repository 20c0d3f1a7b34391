#!/usr/bin/env python3
"""`kubernetes: {}` as in a pod: the API server by what the kubelet says or its name in the cluster, its authority and the token from where the kubelet
puts them, and a token that the kubelet renews.

usage: in_cluster_test.py BINARY RECORDINGS

The pod is made of namespaces of its own (mounts for the account's folder and /etc/hosts, a network for port 443); exit 77
(skipped) where they cannot be made.
"""
import fcntl
import os
import pathlib
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from exporter import Exporter, main, wait_for  # noqa: E402
from fake_upstreams import KUBERNETES, Upstream  # noqa: E402

BINARY, RECORDINGS = sys.argv[1], pathlib.Path(sys.argv[2])
INSIDE = "SHORTCIRCUIT_TEST_INSIDE_POD"
ACCOUNT = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")
HOST = "kubernetes.default.svc"


def enter_pod():
    """Ends this process: starts it again inside."""
    unshare = ["unshare", "--mount", "--net"] + ([] if os.geteuid() == 0 else ["--user", "--map-root-user"])
    if subprocess.run([*unshare, "mount", "-t", "tmpfs", "tmpfs", "/run"], capture_output=True, check=False).returncode != 0:
        print("no namespaces can be made here")
        sys.exit(77)
    os.environ[INSIDE] = "yes"
    os.execvp(unshare[0], [*unshare, sys.executable, *sys.argv])


def mount(*arguments):
    subprocess.run(["mount", *map(str, arguments)], check=True)


def loopback_up():
    with socket.socket() as any_socket:
        flags = struct.pack("16sh22x", b"lo", 0x1 | 0x40)  # IFF_UP, IFF_RUNNING
        fcntl.ioctl(any_socket, 0x8914, flags)  # SIOCSIFFLAGS


def make_authority(folder):
    """ca.crt, and server.crt with server.key for HOST."""
    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=folder)
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 2)
    openssl("req", "-x509", *new, "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.crt")
    openssl("req", "-x509", *new, "-subj", "/CN=server", "-addext", f"subjectAltName=DNS:{HOST},IP:127.0.0.1",
            "-addext", "basicConstraints=critical,CA:FALSE", "-CA", "ca.crt", "-CAkey", "ca.key",
            "-keyout", "server.key", "-out", "server.crt")


class Pod:
    """What the kubelet puts into a pod, and the API server."""

    def __init__(self, scratch):
        self.scratch = scratch
        mount("--make-rprivate", "/")
        mount("-t", "tmpfs", "tmpfs", "/run")
        ACCOUNT.mkdir(parents=True)
        (scratch / "hosts").write_text(f"127.0.0.1 localhost {HOST}\n")
        mount("--bind", scratch / "hosts", "/etc/hosts")
        loopback_up()
        make_authority(scratch)
        self.generation = 0
        self.accepted = ""
        self.server = Upstream("kubernetes", [RECORDINGS / "healthy" / "kubernetes"], KUBERNETES, port=443)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(scratch / "server.crt", scratch / "server.key")
        self.server.server.socket = context.wrap_socket(self.server.server.socket, server_side=True)
        self.server.behaviour = self.refuse

    def refuse(self, handler, _path):
        if handler.headers.get("Authorization") == "Bearer " + self.accepted:
            return False
        handler.reply(401, "application/json", b'{"kind":"Status","code":401}')
        return True

    def put_token(self, token, authority):
        """As the kubelet does: the file is a link, and what it leads to is exchanged at once."""
        self.generation += 1
        data = ACCOUNT / f"..{self.generation}"
        data.mkdir()
        (data / "token").write_text(token)
        shutil.copy(authority / "ca.crt", data)
        (ACCOUNT / "..new").symlink_to(data.name)
        (ACCOUNT / "..new").rename(ACCOUNT / "..data")
        for name in ("token", "ca.crt"):
            if not (ACCOUNT / name).is_symlink():
                (ACCOUNT / name).symlink_to(f"..data/{name}")


def started(config="kubernetes: {interval: 5s, timeout: 4900ms, watch: false}\n"):
    path = POD.scratch / "config.yaml"
    path.write_text(config)
    return Exporter(BINARY, "--config", str(path))


def test_the_pods_own_account_is_enough_and_its_token_may_be_renewed():
    POD.put_token("f1rst", POD.scratch)
    POD.accepted = "f1rst"
    with started() as exporter:
        def up():
            return exporter.metric('shortcircuit_source_up{source="kubernetes",target=""}')
        exporter.ready()
        wait_for("the first token", lambda: up() == 1)
        assert exporter.values("shortcircuit_source_parts_unread{") == [0], exporter.log
        assert len(exporter.values("shortcircuit_kubernetes_node_ready{")) == 20
        POD.accepted = "s3cond"
        wait_for("the refusal of the old token", lambda: up() == 0)
        POD.put_token("s3cond", POD.scratch)
        wait_for("the renewed token", lambda: up() == 1)
        assert not [line for line in exporter.log if "f1rst" in line or "s3cond" in line], "no secret is logged"
    assert {request[2].get("Host") for request in POD.server.requests} == {HOST}


def test_what_the_kubelet_says_of_the_server_counts_without_any_dns():
    POD.put_token("f0urth", POD.scratch)
    POD.accepted = "f0urth"
    POD.server.requests.clear()
    os.environ |= {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    try:
        with started() as exporter:
            exporter.ready()
            wait_for("the nodes", lambda: len(exporter.values("shortcircuit_kubernetes_node_ready{")) == 20)
    finally:
        del os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    assert {request[2].get("Host") for request in POD.server.requests} == {"127.0.0.1"}, POD.server.requests


def test_a_server_that_the_accounts_authority_did_not_sign_gets_no_token():
    other = POD.scratch / "other"
    other.mkdir()
    make_authority(other)
    POD.put_token("th1rd", other)
    POD.accepted = "th1rd"
    POD.server.requests.clear()
    with started() as exporter:
        exporter.ready()
        wait_for("the failure", lambda: exporter.metric(
            'shortcircuit_source_poll_failures_total{source="kubernetes",target="",reason="tls"}'))
    assert not POD.server.requests, POD.server.requests


if __name__ == "__main__":
    if INSIDE not in os.environ:
        enter_pod()
    with tempfile.TemporaryDirectory(prefix="sc-") as scratch:
        POD = Pod(pathlib.Path(scratch))
        main([test for name, test in list(globals().items()) if name.startswith("test_")])
