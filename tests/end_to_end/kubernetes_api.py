"""A small Kubernetes API server on loopback: list with pages, watch, bookmarks, expiry, label selectors.

It keeps objects by path (`/api/v1/pods`), one version for all, and the events since `oldest`. Tests and the
benchmark of the traffic direct it; `sent` counts the bytes it wrote to its sockets, by what they were for.
"""
import collections
import gzip
import http.client
import http.server
import json
import socket
import threading
import time
import urllib.parse

from fake_upstreams import KUBERNETES

KINDS = {path for path in KUBERNETES if path != "/version"}
GZIP_FROM = 128 * 1024  # as the API server does
USUAL_HEADERS = ("Audit-Id: 0db5246a-fdd9-4c86-b7f1-af62ce290ffc\r\nCache-Control: no-cache, private\r\n"
                 "Content-Type: application/json\r\nDate: Tue, 24 Nov 2026 15:46:31 GMT\r\n"
                 "X-Kubernetes-Pf-Flowschema-Uid: 45358e34-5e6e-4cd3-9968-41181b6f9c91\r\n"
                 "X-Kubernetes-Pf-Prioritylevel-Uid: ae038325-0d55-4b84-b2e2-ab1547296e39\r\n")


def list_kind(path):
    """IngressList of /apis/networking.k8s.io/v1/ingresses, but for its capitals."""
    resource = path.rsplit("/", 1)[-1]
    return (resource if resource == "endpoints" else resource[:-2] if resource.endswith("sses") else resource[:-1]) + "List"


def status(code, message, reason=""):
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
            "reason": reason, "code": code}


def selected(labels, selector):
    """`a=b,c,d in (e,f)` as far as the exporter writes it."""
    rest = selector
    while rest:
        term, depth = "", 0
        for i, letter in enumerate(rest):
            depth += {"(": 1, ")": -1}.get(letter, 0)
            if letter == "," and depth == 0:
                term, rest = rest[:i], rest[i + 1:]
                break
        else:
            term, rest = rest, ""
        if " in (" in term:
            key, values = term.rstrip(")").split(" in (")
            if labels.get(key) not in values.split(","):
                return False
        elif "=" in term:
            key, value = term.split("=", 1)
            if labels.get(key) != value:
                return False
        elif term not in labels:
            return False
    return True


class KubernetesApi:
    def __init__(self, port=0):
        self.changed = threading.Condition()
        self.version, self.oldest = 1000, 0
        self.objects = collections.defaultdict(dict)   # path → (namespace, name) → object
        self.packed_version, self.packed = 0, {}       # answers to lists, while nothing changes
        self.texts = {}                                # (path, key) → the object as JSON
        self.events = collections.defaultdict(list)    # path → (version, type, object)
        self.bookmark_seconds = 60
        self.watch_status = 200
        self.watch_delay = 0  # seconds between the head of a watch and what it tells
        self.list_delay = {}  # path → seconds
        self.watching = {}  # path → connection of its last watch
        self.mute = False  # requests get no answer, watches stay open
        self.at_next_poll = None  # called once, before the first request of a poll is answered
        self.requests = []
        self.sent = collections.Counter()
        self.closing = False
        self.connections = set()
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                api.answer(self)

            def log_message(self, *_):
                pass

            def address_string(self):
                return "client"

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 128

            def process_request(self, request, client_address):
                with api.changed:
                    api.connections.add(request)
                super().process_request(request, client_address)

            def shutdown_request(self, request):
                with api.changed:
                    api.connections.discard(request)
                super().shutdown_request(request)

            def handle_error(self, *_):
                pass  # clients go when they like

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    # What a test does to the cluster.
    def put(self, path, item):
        with self.changed:
            self.version += 1
            item = json.loads(json.dumps(item))
            metadata = item["metadata"]
            metadata["resourceVersion"] = str(self.version)
            key = (metadata.get("namespace", ""), metadata["name"])
            kind = "MODIFIED" if key in self.objects[path] else "ADDED"
            self.objects[path][key] = item
            self.texts[path, key] = json.dumps(item, separators=(",", ":")).encode()
            self.events[path].append((self.version, kind, item))
            self.changed.notify_all()

    def delete(self, path, namespace, name):
        with self.changed:
            self.version += 1
            item = self.objects[path].pop((namespace, name))
            item = {**item, "metadata": {**item["metadata"], "resourceVersion": str(self.version)}}
            self.events[path].append((self.version, "DELETED", item))
            self.changed.notify_all()

    def compact(self):
        with self.changed:
            self.oldest = self.version
            self.events.clear()

    def saved(self):
        with self.changed:
            return self.version, {path: dict(items) for path, items in self.objects.items()}

    def restore(self, then):
        """As after etcd was restored from a snapshot: versions begin again where they were then."""
        with self.changed:
            self.version = then[0]
            self.objects = collections.defaultdict(dict, {path: dict(items) for path, items in then[1].items()})
            self.texts = {(path, key): json.dumps(item).encode() for path in self.objects for key, item in self.objects[path].items()}
            self.events.clear()
            self.oldest = 0
        self.break_connections()

    def break_connections(self, but=None):
        with self.changed:
            for connection in self.connections - {but}:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def break_watch(self, path):
        with self.changed:
            self.watching[path].shutdown(socket.SHUT_RDWR)

    def close(self):
        with self.changed:
            self.closing = True
            self.changed.notify_all()
        self.server.shutdown()
        self.server.server_close()
        self.break_connections()

    # What it answers.
    def answer(self, handler):
        split = urllib.parse.urlsplit(handler.path)
        query = {key: values[0] for key, values in urllib.parse.parse_qs(split.query, keep_blank_values=True).items()}
        with self.changed:
            self.requests.append(handler.path)
        while self.mute and not self.closing:
            time.sleep(0.05)
        if split.path == "/version":
            with self.changed:
                call, self.at_next_poll = self.at_next_poll, None
            if call:
                call(handler.connection)
            return self.reply(handler, "version", 200, {"major": "1", "minor": "33", "gitVersion": "v1.33.5+k3s1"})
        namespace, path = "", split.path
        parts = split.path.split("/")
        if "namespaces" in parts and parts[-2] != "namespaces":
            at = parts.index("namespaces")
            namespace, path = parts[at + 1], "/".join(parts[:at] + parts[at + 2:])
        if path not in KINDS:
            return self.reply(handler, "absent", 404, None)
        if query.get("watch") == "1":
            return self.watch(handler, path, namespace, query)
        return self.list(handler, path, namespace, query)

    def matching(self, item, namespace, query):
        metadata = item["metadata"]
        return ((not namespace or metadata.get("namespace") == namespace) and
                selected(metadata.get("labels", {}), query.get("labelSelector", "")))

    def list(self, handler, path, namespace, query):
        time.sleep(self.list_delay.get(path, 0))
        limit = int(query.get("limit", "0"))
        begin = int(query.get("continue", "0") or 0)
        with self.changed:
            if self.packed_version != self.version:
                self.packed_version, self.packed = self.version, {}
            packed = self.packed.get(handler.path)
        if packed:
            return self.send(handler, "list", packed)
        with self.changed:
            keys = [key for key, item in sorted(self.objects[path].items()) if self.matching(item, namespace, query)]
            page = keys[begin:begin + limit] if limit else keys
            texts = [self.texts[path, key] for key in page]
            metadata = {"resourceVersion": str(self.version)}
        if begin + len(page) < len(keys):
            metadata["continue"] = str(begin + len(page))
        head = json.dumps({"kind": list_kind(path), "apiVersion": "v1", "metadata": metadata}).encode()
        answer = self.whole(handler, 200, head[:-1] + b',"items":[' + b",".join(texts) + b"]}")
        with self.changed:
            if metadata["resourceVersion"] == str(self.packed_version):
                self.packed[handler.path] = answer
        self.send(handler, "list", answer)

    def watch(self, handler, path, namespace, query):
        if self.watch_status != 200:
            return self.reply(handler, "watch", self.watch_status, status(self.watch_status, "no watches here"))
        at = int(query["resourceVersion"])
        end = time.monotonic() + float(query.get("timeoutSeconds", "300"))
        bookmark_at = time.monotonic() + self.bookmark_seconds
        self.send(handler, "watch", f"HTTP/1.1 200 OK\r\n{USUAL_HEADERS}Transfer-Encoding: chunked\r\n\r\n".encode())
        self.watching[path] = handler.connection
        time.sleep(self.watch_delay)
        if at < self.oldest:
            self.chunk(handler, {"type": "ERROR", "object": status(410, f"too old resource version: {at}", "Expired")})
            return self.send(handler, "watch", b"0\r\n\r\n")
        while not self.closing and time.monotonic() < end:
            with self.changed:
                fresh = [event for event in self.events[path] if event[0] > at]
                if not fresh:
                    self.changed.wait(min(0.5, max(0.0, min(end, bookmark_at) - time.monotonic())))
                    fresh = [event for event in self.events[path] if event[0] > at]
                version = self.version
            for number, kind, item in fresh:
                at = number
                if self.matching(item, namespace, query):
                    self.chunk(handler, {"type": kind, "object": item})
            if time.monotonic() >= bookmark_at:
                bookmark_at += self.bookmark_seconds
                if version >= at:  # not when the server has not reached the version that it was asked for
                    at = version
                    self.chunk(handler, {"type": "BOOKMARK", "object": {
                        "kind": "Object", "apiVersion": "v1",
                        "metadata": {"resourceVersion": str(version), "creationTimestamp": None}}})
        self.send(handler, "watch", b"0\r\n\r\n")

    def chunk(self, handler, event):
        line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
        self.send(handler, "watch", b"%x\r\n%s\r\n" % (len(line), line))

    def reply(self, handler, purpose, code, body):
        self.send(handler, purpose, self.whole(handler, code, body))

    def whole(self, handler, code, body):
        content = b"404 page not found\n" if body is None else body
        if isinstance(content, dict):
            content = json.dumps(content, separators=(",", ":")).encode()
        head = f"HTTP/1.1 {code} {http.client.responses[code]}\r\n{USUAL_HEADERS}"
        if len(content) >= GZIP_FROM and "gzip" in handler.headers.get("Accept-Encoding", ""):
            content = gzip.compress(content, 1)
            head += "Content-Encoding: gzip\r\n"
        return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content

    def send(self, handler, purpose, data):
        handler.wfile.write(data)
        with self.changed:
            self.sent[purpose] += len(data)
