"""One upstream that answers well until it is told to misbehave: on loopback (with or without TLS) or on a unix socket.

A fault is an object of faults.py. While one is set, every request meets it; heal() ends it and every connection that it holds.
"""
import contextlib
import os
import socket
import ssl
import struct
import subprocess
import threading

LOOPBACK = {4: "127.0.0.1", 6: "::1"}


class Exchange:
    """One request and the ways to answer it."""

    def __init__(self, upstream, connection, command, path, headers):
        self.upstream, self.connection, self.command, self.path, self.headers = upstream, connection, command, path, headers

    def good(self):
        """(status, content type, body) of the healthy upstream"""
        return self.upstream.good(self.path)

    def send(self, piece):
        self.connection.sendall(piece)

    def reply(self, status, content_type, body, *more_headers):
        lines = [f"HTTP/1.1 {status} Status", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *more_headers]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def reset(self):
        """Closes so that the other side gets a reset and no end."""
        raw = self.connection
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.close()
        raise ConnectionError("reset")

    def wait(self, seconds=None):
        """Until heal(); true when that has happened."""
        return self.upstream.healed.wait(seconds)


class FaultyUpstream:
    """`good(path)` gives (status, content type, body). `token` is asked for when it is not None."""

    def __init__(self, good, certificate=None, socket_path=None, token=None):
        self.good, self.socket_path, self.token = good, socket_path, token
        self.fault = None
        self.healed = threading.Event()
        self.asked = 0  # requests since the fault was set
        self.mistakes = []
        self.connections = set()
        self.lock = threading.Lock()
        self.listener = None
        self.family = 4
        self.port = 0
        self.certificate = None
        self.use(certificate)
        self.listen()

    @property
    def url(self):
        return f"{'https' if self.context else 'http'}://localhost:{self.port}"

    def use(self, certificate):
        """Another certificate (path of a PEM file with its key) from the next connection on."""
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)
        self.certificate = certificate

    def listen(self, family=None):
        self.family = family or self.family
        if self.socket_path:
            self.listener = socket.socket(socket.AF_UNIX)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.socket_path)
            self.listener.bind(self.socket_path)
        else:
            self.listener = socket.socket(socket.AF_INET if self.family == 4 else socket.AF_INET6)
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind((LOOPBACK[self.family], self.port))
            self.port = self.listener.getsockname()[1]
        self.listener.listen(256)
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def stop_listening(self):
        # shutdown() wakes the thread in accept(); close() alone would leave the port open until then.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def drop_connections(self):
        with self.lock:
            connections = list(self.connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def begin(self, fault):
        self.healed = threading.Event()
        self.asked = 0
        self.fault = fault
        fault.begin(self)

    def heal(self):
        fault, self.fault = self.fault, None
        fault.end(self)
        self.healed.set()
        self.drop_connections()

    def close(self):
        self.healed.set()
        self.stop_listening()
        self.drop_connections()
        if self.socket_path:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.socket_path)

    def accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, raw):
        with self.lock:
            self.connections.add(raw)
        connection = raw
        try:
            if self.fault and not self.fault.accepts(self):
                return
            if self.context:
                raw.settimeout(30)
                connection = self.context.wrap_socket(raw, server_side=True)
                with self.lock:
                    self.connections.discard(raw)
                    self.connections.add(connection)
                connection.settimeout(None)
            self.talk(connection)
        except OSError:
            pass  # the other side, or heal(), has ended it
        except Exception as mistake:  # of the test itself: it must not look like a fault
            self.mistakes.append(repr(mistake))
        finally:
            with self.lock:
                self.connections.discard(raw)
                self.connections.discard(connection)
            connection.close()

    def talk(self, connection):
        buffer = b""
        while True:
            while b"\r\n\r\n" not in buffer:
                piece = connection.recv(65536)
                if not piece:
                    return
                buffer += piece
            head, buffer = buffer.split(b"\r\n\r\n", 1)
            lines = head.decode("latin-1").split("\r\n")
            command, path, _ = lines[0].split(" ")
            headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}
            missing = int(headers.get("content-length", 0)) - len(buffer)
            while missing > 0:
                piece = connection.recv(missing)
                missing -= len(piece)
                buffer += piece
            buffer = buffer[int(headers.get("content-length", 0)):]
            exchange = Exchange(self, connection, command, path, headers)
            fault = self.fault
            self.asked += 1
            if fault:
                fault.answer(exchange)
            elif self.token is not None and headers.get("authorization") != "Bearer " + self.token:
                exchange.reply(401, "text/plain", b"unauthorized\n")
            else:
                exchange.reply(*exchange.good())


def make_certificates(directory):
    """Two authorities and a server certificate of each: (ca_file, certificate with key) twice."""
    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    made = []
    extensions = directory / "extensions"
    extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\n")
    for name in ("first", "second"):
        key, ca = directory / f"{name}-ca.key", directory / f"{name}-ca.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", f"/CN={name} authority", "-keyout", key, "-out", ca)
        server_key, request, server = (directory / f"{name}-server.{end}" for end in ("key", "csr", "pem"))
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost",
                "-keyout", server_key, "-out", request)
        openssl("x509", "-req", "-days", "2", "-in", request, "-CA", ca, "-CAkey", key, "-CAcreateserial",
                "-extfile", extensions, "-out", server)
        both = directory / f"{name}-server-and-key.pem"
        both.write_text(server.read_text() + server_key.read_text())
        made.append((ca, both))
    return made
