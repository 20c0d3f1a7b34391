"""The faults of the matrix, and for each upstream what is the truth while one lasts.

What is right for a fault is one of four:
  Fails(reason)    nothing useful can be read: the source is down with that reason, and with the third missed poll nothing of it
                   is said any more;
  Parts(reason)    what can still be read is still told; the parts that cannot are counted with that reason and are unknown;
  Innocent(why)    the answer means the same as before: not one line changes;
  Impossible(why)  this upstream cannot have it.
"""
import gzip
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import changed_answers

UPSTREAMS = ("kubernetes", "traefik", "headscale", "tailscale", "etcd", "linstor")


@dataclass
class Fails:
    reason: str
    late_too: bool = False  # a machine may meet the deadline first


@dataclass
class Parts:
    reason: str
    late_too: bool = False


@dataclass
class Innocent:
    why: str


@dataclass
class Impossible:
    why: str


class Fault:
    """Answers every request in its way; the defaults change nothing."""
    times_differ = False  # what is read as a moment may be another one

    def begin(self, upstream):
        pass

    def end(self, upstream):
        pass

    def accepts(self, upstream):
        return True

    def answer(self, exchange):
        exchange.reply(*exchange.good())


# --- of connections


class Refused(Fault):
    def begin(self, upstream):
        upstream.stop_listening()
        upstream.drop_connections()

    def end(self, upstream):
        upstream.listen()


class Hang(Fault):
    def begin(self, upstream):
        upstream.drop_connections()

    def accepts(self, upstream):
        upstream.healed.wait()
        return False


class Reset(Fault):
    def answer(self, exchange):
        exchange.reset()


class Moved(Fault):
    """Gone, and back at another address of the same name; a unix socket: gone, and another one of the same path."""

    def begin(self, upstream):
        upstream.stop_listening()
        upstream.drop_connections()

    def end(self, upstream):
        upstream.listen(family=4 if upstream.family == 6 else 6)


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


class CertificateSwapped(Fault):
    """The server has a certificate of another authority; it ends when ca_file has been given that one's."""

    def begin(self, upstream):
        upstream.other_authority, certificate = upstream.next_certificate()
        upstream.use(certificate)
        upstream.drop_connections()

    def end(self, upstream):
        upstream.ca_file.write_bytes(upstream.other_authority.read_bytes())


# --- of answers


class Half(Fault):
    def answer(self, exchange):
        status, content_type, body = exchange.good()
        exchange.send(f"HTTP/1.1 {status} OK\r\nContent-Type: {content_type}\r\nContent-Length: {len(body) + 1}\r\n\r\n".encode())
        exchange.send(body[: len(body) // 2])
        raise ConnectionError("half an answer is enough")


class OneByteASecond(Fault):
    def answer(self, exchange):
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}":
            exchange.send(bytes([byte]))
            if exchange.wait(1):
                return


class Large(Fault):
    def answer(self, exchange):
        size = 64 << 20
        exchange.send(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n\"".encode())
        piece = b"x" * (1 << 20)
        for _ in range(size // len(piece) - 1):
            exchange.send(piece)
        exchange.send(piece[:-2] + b'"')


class EndlessHeaders(Fault):
    def answer(self, exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\n")
        while not exchange.upstream.healed.is_set():
            exchange.send(b"X-More: 1234567890\r\n" * 100)


class GzipBomb(Fault):
    packed = gzip.compress(b"[" + b" " * (64 << 20) + b"]")

    def answer(self, exchange):
        exchange.reply(200, "application/json", self.packed, "Content-Encoding: gzip")


class Status(Fault):
    def __init__(self, status, *headers):
        self.status, self.headers = status, headers

    def answer(self, exchange):
        exchange.reply(self.status, "text/plain", b"not now\n", *self.headers)


class TokenRotated(Fault):
    """The server has forgotten the token; it ends when the token's file holds the new one."""

    def begin(self, upstream):
        if upstream.token is not None:
            upstream.token = upstream.next_token()

    def end(self, upstream):
        if upstream.token is not None:
            upstream.token_file.write_text(upstream.token + "\n")

    def answer(self, exchange):
        exchange.reply(401, "text/plain", b"unauthorized\n")


class AnotherServer(Fault):
    """Somebody else listens there now, who has a page for every path."""

    def answer(self, exchange):
        exchange.reply(200, "text/html", b"<!DOCTYPE html><html><title>It works</title></html>\n")


# --- of what is said


class Changed(Fault):
    """The good answer, changed: JSON by one function, the text of metrics by another."""

    def __init__(self, json_bytes, text=None):
        self.json_bytes, self.text = json_bytes, text

    def answer(self, exchange):
        status, content_type, body = exchange.good()
        if content_type.startswith("application/json"):
            body = self.json_bytes(body)
        elif status == 200 and self.text:
            body = self.text(body)
        exchange.reply(status, content_type, body)


class Clock(Changed):
    times_differ = True

    def __init__(self, hours):
        self.shift = timedelta(hours=hours)
        super().__init__(self.shifted, lambda body: body)

    def shifted(self, body):
        return changed_answers.shifted(body, self.shift)

    def answer(self, exchange):
        status, content_type, body = exchange.good()
        if content_type.startswith("application/json"):
            body = self.shifted(body)
        date = (datetime.now(timezone.utc) + self.shift).strftime("%a, %d %b %Y %H:%M:%S GMT")
        exchange.reply(status, content_type, body, "Date: " + date)


# --- what is right

SAME_MEANING = Innocent("the last of two keys counts, as for the upstreams' own clients (Go, Jackson)")
NOBODY_READS = Innocent("nobody reads that field, and a double holds the number")
NO_JUDGEMENT = Innocent("no judgement follows from an upstream's clock within an hour; its moments are told as it says them")

MATRIX = {
    # fault: (what to do, what is right for all, what is right for some)
    "refused": (Refused(), Fails("connect"), {}),
    "accept_and_hang": (Hang(), Fails("timeout"), {}),
    "reset": (Reset(), Fails("connect"), {}),
    "half_answer": (Half(), Fails("syntax"), {}),
    "one_byte_a_second": (OneByteASecond(), Fails("timeout"), {}),
    "body_of_64_mib": (Large(), Fails("too_large", late_too=True), {}),
    "endless_headers": (EndlessHeaders(), Fails("too_large"), {}),
    "gzip_bomb": (GzipBomb(), Fails("too_large", late_too=True), {}),
    "status_500": (Status(500), Fails("status"), {}),
    "status_404": (Status(404), Fails("status"), {}),
    "status_429_retry_after": (Status(429, "Retry-After: 1"), Fails("status"), {}),
    "token_rotated": (TokenRotated(), Fails("auth"), {}),  # tailscaled has none: it refuses, and stops refusing
    "another_server": (AnotherServer(), Fails("syntax"), {}),
    "invalid_utf8": (Changed(changed_answers.spoilt_utf8, changed_answers.spoilt_labels), Fails("syntax"), {
        # Its metrics are text, and a version is shown with U+FFFD.
        "etcd": Parts("syntax")}),
    "deep_json": (Changed(changed_answers.deep), Fails("syntax"), {
        "etcd": Parts("syntax")}),  # the metrics are no JSON
    "huge_numbers": (Changed(changed_answers.huge, changed_answers.huge_samples), Parts("schema"), {
        "headscale": Innocent("Headscale writes its numbers as strings, and none of them is counted with"),
        "tailscale": Fails("schema"),  # bytes of a peer
        "etcd": Parts("syntax"),  # its JSON writes numbers as strings; a sample of 1e400 is no number
    }),
    "huge_number_elsewhere": (Changed(lambda body: changed_answers.with_more_fields(body, "1" + "0" * 300)), NOBODY_READS, {}),
    "number_beyond_double": (Changed(lambda body: changed_answers.with_more_fields(body, "1e400")), Fails("syntax"), {
        "etcd": Parts("syntax")}),
    "duplicate_keys": (Changed(changed_answers.twice, changed_answers.samples_twice), SAME_MEANING, {}),
    "clock_one_hour_ahead": (Clock(1), NO_JUDGEMENT, {}),
    "clock_one_hour_behind": (Clock(-1), NO_JUDGEMENT, {}),
    "address_changes": (Moved(), Fails("connect"), {}),
    "certificate_swapped": (CertificateSwapped(), Fails("tls"), {
        "tailscale": Impossible("a unix socket has no certificate")}),
}


def expected(fault, upstream):
    if fault == "address_changes" and upstream != "tailscale" and not has_ipv6():
        return Impossible("no IPv6 on this loopback, so `localhost` has one address only")
    _, usual, special = MATRIX[fault]
    return special.get(upstream, usual)
