#!/usr/bin/env python3
"""HTTPS by the exporter itself (`tls_server_config`), asked by curl and by Python: all that plain HTTP does, and what
only TLS can do wrong.

usage: https_test.py BINARY RECORDINGS
"""
import base64
import contextlib
import http.client
import os
import pathlib
import random
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from exporter import MEMORY_COUNTS, PATIENCE_SECONDS, Exporter, main, run, wait_for  # noqa: E402
from faulty_upstream import make_certificates  # noqa: E402
from web_clients_test import beside, closed, connect, descriptors, memory_mib  # noqa: E402

BINARY, RECORDINGS = sys.argv[1], pathlib.Path(sys.argv[2])
NIGHT = ("--replay", str(RECORDINGS / "night"), "--replay.step-interval", "600s")
FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="shortcircuit-"))
# Both files are certificates for `localhost` with their keys; the second authority is nobody's.
(CA, SERVER), (OTHER_CA, OTHER_SERVER) = make_certificates(FOLDER)
PAIR, OTHER_PAIR = (f"cert_file: {file}, key_file: {file}" for file in (SERVER, OTHER_SERVER))
# Of "right", made by crypt(3).
HASH = "$2y$04$abcdefghijklmnopqrstuuFmEfrkTQnczNzw475xE2VhDrK1uwJiC"
PASSWORD = {"Authorization": "Basic " + base64.b64encode(b"ada:right").decode()}


def configuration(section=PAIR, more=""):
    file = FOLDER / "web.yml"
    file.write_text(f"tls_server_config: {{{section}}}\n{more}")
    return file


def context(certificate=None, authority=CA):
    made = ssl.create_default_context(cafile=authority)
    if certificate:
        made.load_cert_chain(certificate)
    return made


def https(section=PAIR, more="", certificate=None):
    return Exporter(BINARY, *NIGHT, "--web.config.file", str(configuration(section, more)), tls=context(certificate))


def url(exporter, path, scheme="https"):
    return f"{scheme}://localhost:{exporter.address.rsplit(':', 1)[1]}{path}"


def curl(exporter, path, *arguments, scheme="https", authority=CA):
    """(exit code, what it printed, what it complained about)"""
    done = subprocess.run(["curl", "-sS", "--noproxy", "*", "--max-time", str(PATIENCE_SECONDS), "--cacert", str(authority),
                           *arguments, url(exporter, path, scheme)], capture_output=True)
    return done.returncode, done.stdout, done.stderr.decode()


def test_pages_are_those_of_plain_http():
    with Exporter(BINARY, *NIGHT) as plain, https() as exporter:
        plain.ready()
        exporter.ready()
        for path in ("/-/healthy", "/config", "/no-such-page"):
            wanted = plain.request(path)
            got = exporter.request(path)
            assert (got[0], got[2]) == (wanted[0], wanted[2]), path
            assert {**got[1], "date": ""} == {**wanted[1], "date": ""}, path
        for version in ("1.2", "1.3"):
            code, out, err = curl(exporter, "/metrics", "--tlsv" + version, "--tls-max", version, "--compressed")
            assert code == 0 and b"shortcircuit_build_info" in out, (version, code, err)
        code, out, err = curl(exporter, "/metrics", "--head")
        assert code == 0 and out.startswith(b"HTTP/1.1 200 OK") and b"Content-Length: " in out, (code, out, err)
        assert any("scheme=https" in line for line in exporter.log) and any("scheme=http " in line for line in plain.log)


def test_one_connection_for_many_scrapes():
    with https() as exporter:
        exporter.ready()
        host = http.client.HTTPSConnection("localhost", int(exporter.address.rsplit(":", 1)[1]), context=exporter.tls,
                                           timeout=PATIENCE_SECONDS)
        first = None
        for _ in range(300):
            host.request("GET", "/metrics")
            first = first or host.sock
            body = host.getresponse().read()
            assert host.sock is first, "one connection for all scrapes"
            assert body.endswith(b"\n") and b"shortcircuit_build_info" in body
        host.close()


def test_slow_reader_gets_all():
    with https() as exporter:
        exporter.ready()
        length = len(exporter.request("/config")[2])
        with connect(exporter, receive_buffer=4096) as raw, exporter.tls.wrap_socket(raw, server_hostname="localhost") as client:
            request = b"GET /%s HTTP/1.1\r\nHost: x\r\n%s\r\n"
            client.sendall(request % (b"metrics", b"") * 5 + request % (b"config", b"Connection: close\r\n"))
            answer = b""
            while chunk := client.recv(50000):
                answer += chunk
        assert len(answer) > 1_000_000 and answer.count(b"HTTP/1.1 200 OK") == 6, len(answer)
        assert len(answer.rsplit(b"\r\n\r\n", 1)[1]) == length


def test_users_over_tls():
    with https(more=f"basic_auth_users: {{ada: '{HASH}'}}\n") as exporter:
        assert exporter.request("/-/healthy")[0] == 401
        assert exporter.request("/-/healthy", headers=PASSWORD)[0] == 200
        code, out, _ = curl(exporter, "/-/healthy", "--user", "ada:right")
        assert code == 0 and out, (code, out)


def test_client_certificates():
    verified = f"{PAIR}, client_auth_type: RequireAndVerifyClientCert, client_ca_file: {CA}"
    with https(verified, certificate=SERVER) as exporter:
        exporter.ready()
        assert curl(exporter, "/-/healthy", "--cert", str(SERVER))[0] == 0
        for arguments in ((), ("--cert", str(OTHER_SERVER))):
            for version in ("1.2", "1.3"):
                code, out, err = curl(exporter, "/-/healthy", *arguments, "--tls-max", version)
                assert code in (35, 56) and not out and "alert" in err, (arguments, version, code, err)
        assert exporter.request("/-/healthy")[0] == 200


def test_versions():
    with https(PAIR + ", min_version: TLS13") as exporter:
        exporter.ready()
        assert curl(exporter, "/-/healthy", "--tls-max", "1.2")[0] == 35
        assert curl(exporter, "/-/healthy", "--tlsv1.3")[0] == 0


def test_certificate_that_is_swapped():
    with https() as exporter:
        exporter.ready()
        assert curl(exporter, "/-/healthy", authority=OTHER_CA)[0] == 60
        configuration(OTHER_PAIR)
        assert curl(exporter, "/-/healthy", authority=OTHER_CA)[0] == 0
        assert curl(exporter, "/-/healthy")[0] == 60
        # The files themselves, as certbot writes them: the key does not fit for a moment.
        cert, key = FOLDER / "tls.crt", FOLDER / "tls.key"
        shutil.copy(SERVER, cert)
        shutil.copy(SERVER, key)
        configuration(f"cert_file: {cert.name}, key_file: {key.name}")
        assert curl(exporter, "/-/healthy")[0] == 0
        shutil.copy(OTHER_SERVER, cert)
        for _ in range(3):
            assert curl(exporter, "/-/healthy")[0] == 0
        said = [line for line in exporter.log if "TLS files do not work" in line]
        assert len(said) == 1 and "expected the key of the certificate" in said[0] and "BEGIN" not in said[0], said
        shutil.copy(OTHER_SERVER, key)
        assert curl(exporter, "/-/healthy", authority=OTHER_CA)[0] == 0


def test_a_mistake_closes_and_a_section_that_goes_needs_a_restart():
    with https() as exporter:
        exporter.ready()
        for broken in ("tls_server_config: {cert_file: x}\n", "basic_auth_users: {}\n", "rate_limit: {}\n"):
            (FOLDER / "web.yml").write_text(broken)
            assert exporter.request("/metrics")[0] == 500, broken
            assert exporter.request("/-/healthy")[0] == 500, broken
            assert curl(exporter, "/-/healthy", scheme="http")[1].startswith(b"Client sent"), broken
        assert any("tls_server_config has come or gone; expected a restart" in line for line in exporter.log), exporter.log
        configuration()
        assert exporter.request("/-/healthy")[0] == 200


def test_what_does_not_work_is_no_start():
    for section, wanted in ((f"cert_file: /nope, key_file: {SERVER}", "cannot read /nope: No such file or directory"),
                            (f"cert_file: {SERVER}, key_file: {OTHER_SERVER}", "expected the key of the certificate in"),
                            (f"cert_file: {SERVER}", "web.yml:1:1: tls_server_config.key_file: missing; expected a path")):
        file = configuration(section)
        for arguments in (("serve", *NIGHT, "--web.listen-address", "127.0.0.1:0"), ("--config.check", *NIGHT)):
            code, _, err = run(BINARY, *arguments, "--web.config.file", str(file))
            assert code == 2 and wanted in err and str(file) in err and "BEGIN" not in err, (arguments, code, err)
    code, out, err = run(BINARY, "--config.check", *NIGHT, "--web.config.file", str(configuration()))
    assert code == 0, (code, out, err)


def test_plain_http_on_the_tls_port():
    with https() as exporter:
        code, out, _ = curl(exporter, "/metrics", "--write-out", "%{http_code}", scheme="http")
        assert code == 0 and out == b"Client sent an HTTP request to an HTTPS server.\n400", (code, out)


def test_idle_handshakes_beside_a_good_scrape():
    with https() as exporter:
        exporter.ready()
        before = descriptors(exporter)
        clients = [connect(exporter) for _ in range(300)]
        for client in clients[::2]:
            with contextlib.suppress(OSError):
                client.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        for _ in range(20):
            assert "shortcircuit_build_info" in exporter.text()
        wait_for("the idle handshakes to be closed", lambda: all(closed(client) for client in clients))
        wait_for("descriptors as before", lambda: descriptors(exporter) <= before)
        assert memory_mib(exporter) < 80 or not MEMORY_COUNTS, memory_mib(exporter)


def test_noise_and_clients_that_leave():
    noise = random.Random(67)
    with https() as exporter:
        exporter.ready()
        before = descriptors(exporter)
        hurried = b"\x01\x00\x00\x00\x00\x00\x00\x00"

        def throw():
            with connect(exporter) as client:
                start = noise.choice([b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16", b"\x16\x03\x01\x00\x10", b"\x80\x2e\x01\x03\x01",
                                      b"\x16\x03\x03\x40\x00", b"\x17\x03\x03\x00\x20", b"\x15\x03\x03\x00\x02\x02\x28"])
                client.sendall(start + noise.randbytes(noise.randrange(3000)))
                if noise.random() < 0.5:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, hurried)

        def broken_after_the_handshake():
            with connect(exporter, receive_buffer=4096) as raw:
                client = exporter.tls.wrap_socket(raw, server_hostname="localhost")
                client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
                if noise.random() < 0.5:
                    os.write(client.fileno(), noise.randbytes(noise.randrange(1, 300)))
                if noise.random() < 0.5:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, hurried)
                client.close()

        for work in (throw, broken_after_the_handshake):
            with beside(exporter, work):
                for _ in range(50):
                    assert "shortcircuit_build_info" in exporter.text()
        wait_for("descriptors as before", lambda: descriptors(exporter) <= before)


def test_socket_of_systemd():
    path = FOLDER / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        # Descriptor 3 of a process that is told its own number, as systemd does it.
        script = f'exec env LISTEN_FDS=1 LISTEN_PID=$$ "$0" "$@" 3<&{listener.fileno()}'
        process = subprocess.Popen(["sh", "-c", script, BINARY, "serve", *NIGHT, "--web.systemd-socket", "--web.config.file",
                                    str(configuration())], pass_fds=[listener.fileno()], stderr=subprocess.DEVNULL)
        try:
            with socket.socket(socket.AF_UNIX) as raw:
                raw.settimeout(PATIENCE_SECONDS)
                raw.connect(str(path))
                with context().wrap_socket(raw, server_hostname="localhost") as client:
                    client.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    assert client.recv(100).startswith(b"HTTP/1.1 200 OK")
        finally:
            process.terminate()
            assert process.wait(PATIENCE_SECONDS) == 0


def test_stop_with_clients():
    exporter = https().ready()
    raw = [connect(exporter, receive_buffer=4096) for _ in range(20)]
    clients = [exporter.tls.wrap_socket(each, server_hostname="localhost") for each in raw]
    for client in clients[::2]:
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    assert exporter.stop() == 0


if __name__ == "__main__":
    try:
        main([test for name, test in list(globals().items()) if name.startswith("test_")])
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
