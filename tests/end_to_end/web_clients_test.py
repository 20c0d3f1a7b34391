#!/usr/bin/env python3
"""Clients that are idle, slow, wrong or hostile: a good scrape beside them always succeeds.

usage: web_clients_test.py BINARY RECORDINGS
"""
import contextlib
import http.client
import os
import pathlib
import random
import select
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from exporter import MEMORY_COUNTS, PATIENCE_SECONDS, Exporter, main, wait_for  # noqa: E402

BINARY, RECORDINGS = sys.argv[1], pathlib.Path(sys.argv[2])
NIGHT = RECORDINGS / "night"
REQUEST = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
LAST_REQUEST = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
MIB = 1024 * 1024


def night(*arguments):
    return Exporter(BINARY, "--replay", str(NIGHT), "--replay.step-interval", "600s", *arguments)


def connect(exporter, receive_buffer=None):
    host, port = exporter.address.rsplit(":", 1)
    client = socket.socket()
    client.settimeout(PATIENCE_SECONDS)
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.connect((host, int(port)))
    return client


def answer_to(exporter, request):
    """Everything that the server sends until it closes; the request ends the connection or is wrong."""
    with connect(exporter) as client:
        answer = b""
        try:
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)
            while chunk := client.recv(65536):
                answer += chunk
        except OSError:
            pass  # a server may cut a client that sends on
        return answer


def good_scrapes(exporter, count=20):
    for _ in range(count):
        assert "shortcircuit_build_info" in exporter.text()


def memory_mib(exporter, field="VmHWM"):
    status = pathlib.Path(f"/proc/{exporter.process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith(field))) / 1024


def descriptors(exporter):
    return len(os.listdir(f"/proc/{exporter.process.pid}/fd"))


def closed(client):
    """Has the server closed it? Reads what is there."""
    try:
        while select.select([client], [], [], 0)[0]:
            if not client.recv(65536):
                return True
        return False
    except OSError:
        return True


@contextlib.contextmanager
def beside(exporter, work, threads=4):
    """Runs `work` again and again in threads; it must not matter."""
    over = threading.Event()

    def run():
        while not over.is_set():
            try:
                work()
            except OSError:
                pass

    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in running:
            thread.join(PATIENCE_SECONDS)


def test_five_hundred_idle_connections():
    with night() as exporter:
        exporter.ready()
        before = descriptors(exporter)
        clients = [connect(exporter) for _ in range(500)]
        good_scrapes(exporter)
        wait_for("the idle connections to be closed", lambda: all(closed(client) for client in clients))
        wait_for("descriptors as before", lambda: descriptors(exporter) <= before)
        assert memory_mib(exporter) < 60 or not MEMORY_COUNTS, memory_mib(exporter)


def test_more_connections_than_there_is_room_for():
    with night() as exporter:
        exporter.ready()
        clients = []
        for _ in range(12):
            clients += [connect(exporter) for _ in range(100)]
            good_scrapes(exporter, 2)
        assert descriptors(exporter) < 600, descriptors(exporter)


def is_healthy(client):
    client.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = http.client.HTTPResponse(client)
    answer.begin()
    assert answer.status == 200 and answer.read(), answer.status


def test_idle_between_requests():
    with night() as exporter:
        exporter.ready()
        silent = [connect(exporter) for _ in range(300)]
        clients = []
        for _ in range(100):  # room for these: they have answers, and stay
            clients.append(connect(exporter))
            is_healthy(clients[-1])
        good_scrapes(exporter)
        for client in clients:
            is_healthy(client)
        for client in silent:
            client.close()


def test_slow_heads():
    with night() as exporter:
        exporter.ready()
        clients = [connect(exporter) for _ in range(200)]
        started = time.monotonic()
        while clients and time.monotonic() - started < PATIENCE_SECONDS:
            for client in clients:
                with contextlib.suppress(OSError):
                    client.send(b"G" if client is clients[0] else b"X")
            good_scrapes(exporter, 1)
            clients = [client for client in clients if not closed(client)]
            time.sleep(0.2)
        assert not clients, "slow clients are cut"


def test_slow_readers():
    with night() as exporter:
        exporter.ready()
        clients = [connect(exporter, receive_buffer=4096) for _ in range(250)]
        for client in clients:
            client.sendall(REQUEST * 2 + LAST_REQUEST)
        good_scrapes(exporter)
        for page in (b"/", b"/api/findings"):
            for _ in range(250):
                client = connect(exporter, receive_buffer=4096)
                client.sendall(LAST_REQUEST.replace(b"/metrics", page))
                clients.append(client)
            good_scrapes(exporter)
        assert memory_mib(exporter) < 80 or not MEMORY_COUNTS, memory_mib(exporter)

        def cut(client):
            try:
                client.settimeout(PATIENCE_SECONDS)
                while client.recv(MIB):
                    pass
                return True
            except OSError:
                return True
        assert all(cut(client) for client in clients[:50]), "whoever takes nothing is cut, or had it all"


def test_pipelining():
    with night() as exporter:
        exporter.ready()
        with connect(exporter) as client:
            last = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            client.sendall(b"GET /-/ready HTTP/1.1\r\nHost: x\r\n\r\n" * 300 + last)
            answer = b""
            while chunk := client.recv(65536):
                answer += chunk
        assert answer.count(b"HTTP/1.1 200 OK") == 301 and answer.count(b"is ready") == 300, answer[:300]
        assert b"The exporter works." in answer.rsplit(b"\r\n\r\n", 1)[1]
        # A request that lies in a body is none.
        hidden = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n"
        for header in (b"Content-Length: %d" % len(hidden), b"Transfer-Encoding: chunked"):
            answer = answer_to(exporter, b"POST /metrics HTTP/1.1\r\nHost: x\r\n" + header + b"\r\n\r\n" + hidden)
            assert answer.startswith(b"HTTP/1.1 413") and answer.count(b"HTTP/1.1") == 1, answer
        good_scrapes(exporter)


def test_head_split_at_every_byte():
    with night() as exporter:
        exporter.ready()
        with connect(exporter) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n":
                client.send(bytes([byte]))
            assert client.recv(100).startswith(b"HTTP/1.1 200 OK")


def test_wrong_requests():
    with night() as exporter:
        exporter.ready()
        line = b"Host: x\r\nConnection: close\r\n\r\n"
        cases = [
            (b"GET / HTTP/1.1\r\nX: " + b"a" * 20000 + b"\r\n" + line, {431}),
            (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\n" + line, {431}),
            (b"a" * 100000, {431, None}),
            (b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: a\r\n" % i for i in range(500)) + line, {400}),
            (b"BREW /metrics HTTP/1.1\r\n" + line, {400, 405}),
            (b"DELETE /metrics HTTP/1.1\r\n" + line, {405}),
            (b"OPTIONS * HTTP/1.1\r\n" + line, {400, 404, 405}),
            (b"CONNECT a:80 HTTP/1.1\r\n" + line, {400, 404, 405}),
            (b"TRACE / HTTP/1.1\r\n" + line, {400, 405}),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400}),
            (b"GET / HTTP/3.0\r\n" + line, {400}),
            (b"GET /\r\n\r\n", {400}),
            (b"\r\n\r\n", {400}),
            (b"\n\n", {400}),
            (b"GET / HTTP/1.1\r\n: x\r\n" + line, {400}),
            (b"GET / HTTP/1.1\r\nno header\r\nContent-Length: 40\r\n" + line, {400}),
            (b"GET / HTTP/1.1\r\nX: a\r\n folded\r\n" + line, {400}),
            (b"POST /metrics HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 5\r\n" + line + b"GET /", {413}),
            (b"GET /metrics%00.txt HTTP/1.1\r\n" + line, {400}),
            (b"GET /\x00 HTTP/1.1\r\n" + line, {400}),
            (b"GET /../../etc/passwd HTTP/1.1\r\n" + line, {404}),
            (b"GET /metrics/../../../etc/passwd HTTP/1.1\r\n" + line, {404}),
            (b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n" + line, {404}),
            (b"GET /..%2f..%2fetc%2fpasswd HTTP/1.1\r\n" + line, {404}),
            (b"GET /..\\..\\etc\\passwd HTTP/1.1\r\n" + line, {404}),
            (b"GET //etc/passwd HTTP/1.1\r\n" + line, {404}),
            (b"GET file:///etc/passwd HTTP/1.1\r\n" + line, {400, 404}),
            (b"POST /metrics HTTP/1.1\r\nContent-Length: -1\r\n" + line, {400}),
            (b"POST /metrics HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n" + line, {400, 413}),
            (b"POST /metrics HTTP/1.1\r\nTransfer-Encoding: gzip\r\n" + line, {400, 413}),
            (b"GET /metrics HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: a\r\n"
             b"Sec-WebSocket-Version: 13\r\nHost: x\r\n\r\n", {400, 404, 200}),
        ]
        for request, wanted in cases:
            answer = answer_to(exporter, request)
            status = int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else None
            assert status in wanted, (request[:80], answer[:200])
            assert b"root:" not in answer
        good_scrapes(exporter)


def test_headers_and_rate_limit_are_for_every_answer():
    """Also where no page is asked: what is no request, what is too long, what has a body."""
    body = b"POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx"
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "web.yml"
        file.write_text("http_server_config: {headers: {Strict-Transport-Security: max-age=1}}\n")
        with night("--web.config.file", str(file)) as exporter:
            exporter.ready()
            for request, status in ((LAST_REQUEST, 200), (LAST_REQUEST.replace(b"/metrics", b"/nothing"), 404), (body, 413),
                                    (b"GET / HTTP/1.1\r\nX: " + b"a" * 20000, 431), (b"GET /\r\n\r\n", 400),
                                    (b"\n\n", 400), (b"GET / HTTP/1.1\r\nno header\r\n\r\n", 400)):
                head = answer_to(exporter, request).partition(b"\r\n\r\n")[0].decode() + "\r\n"
                assert head.startswith(f"HTTP/1.1 {status} "), (request[:80], head)
                assert head.count("\r\nStrict-Transport-Security: max-age=1\r\n") == 1, (request[:80], head)
            file.write_text("rate_limit: {interval: 1h, burst: 1}\n")
            answers = [answer_to(exporter, body) for _ in range(2)]
            assert [answer.split()[1] for answer in answers] == [b"413", b"429"], answers
            assert all(b"Strict-Transport" not in answer for answer in answers), answers


def test_random_bytes():
    noise = random.Random(67)
    with night() as exporter:
        exporter.ready()

        def throw():
            with connect(exporter) as client:
                start = noise.choice([b"", b"GET /", b"GET /metrics HTTP/1.1\r\n", b"\x16\x03\x01\x02\x00\x01\x00"])
                client.sendall(start + noise.randbytes(noise.randrange(3000)) + noise.choice([b"", b"\r\n\r\n", b"\n\n"]))
                if noise.random() < 0.5:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

        with beside(exporter, throw):
            good_scrapes(exporter, 200)


def test_clients_that_leave_in_the_middle():
    with night() as exporter:
        exporter.ready()
        before = descriptors(exporter)

        def leave():
            with connect(exporter, receive_buffer=4096) as client:
                client.sendall(REQUEST * 5)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

        with beside(exporter, leave):
            good_scrapes(exporter, 200)
        wait_for("descriptors as before", lambda: descriptors(exporter) <= before)


def test_flood_of_expensive_pages():
    with night() as exporter:
        exporter.ready()
        clients = [connect(exporter) for _ in range(200)]
        for client in clients:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        good_scrapes(exporter, 5)


def test_old_protocol_and_keeping_connections():
    with night() as exporter:
        exporter.ready()
        answer = answer_to(exporter, b"GET /-/healthy HTTP/1.0\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200") and b"Connection: close" in answer, answer
        with connect(exporter) as client:
            for _ in range(3):
                client.sendall(b"GET /-/healthy HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                assert b"Connection: keep-alive" in client.recv(4096)
        host, port = exporter.address.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE_SECONDS)
        for _ in range(1000):
            connection.request("GET", "/metrics")
            socket_before = connection.sock
            assert connection.getresponse().read()
            assert connection.sock is socket_before, "one connection for all scrapes"
        connection.close()


def test_stop_with_clients():
    exporter = night().ready()
    idle = [connect(exporter) for _ in range(50)]
    slow = [connect(exporter, receive_buffer=4096) for _ in range(50)]
    for client in slow:
        client.sendall(REQUEST)
    assert exporter.stop() == 0
    assert all(wait_for("closed", lambda client=client: closed(client)) for client in idle + slow)


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
