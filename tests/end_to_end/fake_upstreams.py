"""Serves one step of a recording as the six upstreams would, on loopback and unix sockets.

Every answer comes from a file of the recording; a test may put a behaviour in front of it
(`upstream.behaviour = function(handler, path) -> bool`, true when it has answered).
"""
import http.server
import json
import os
import pathlib
import socket
import socketserver
import sys
import threading
import urllib.parse

KUBERNETES = {
    "/version": "version",
    "/api/v1/nodes": "nodes",
    "/api/v1/services": "services",
    "/api/v1/endpoints": "endpoints",
    "/api/v1/pods": "pods",
    "/api/v1/configmaps": "configmaps",
    "/api/v1/persistentvolumeclaims": "persistentvolumeclaims",
    "/apis/discovery.k8s.io/v1/endpointslices": "endpointslices",
    "/apis/networking.k8s.io/v1/ingresses": "ingresses",
    "/apis/networking.k8s.io/v1/ingressclasses": "ingressclasses",
    "/apis/storage.k8s.io/v1/storageclasses": "storageclasses",
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations": "validatingwebhookconfigurations",
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations": "mutatingwebhookconfigurations",
    "/apis/apps/v1/daemonsets": "daemonsets",
    "/apis/apps/v1/deployments": "deployments",
    "/apis/apps/v1/statefulsets": "statefulsets",
    "/apis/batch/v1/cronjobs": "cronjobs",
}
for kind in ("middlewares", "middlewaretcps", "ingressroutes", "ingressroutetcps", "ingressrouteudps", "traefikservices"):
    KUBERNETES["/apis/traefik.io/v1alpha1/" + kind] = kind
TRAEFIK = {
    "/api/version": "version", "/api/overview": "overview", "/api/entrypoints": "entrypoints",
    "/api/http/routers": "http-routers", "/api/http/services": "http-services",
    "/api/http/middlewares": "http-middlewares",
}
HEADSCALE = {"/health": "health", "/api/v1/node": "node", "/api/v1/apikey": "apikey",
             "/api/v1/preauthkey": "preauthkey", "/api/v1/user": "user"}
LINSTOR = {
    "/v1/controller/version": "controller-version", "/v1/nodes": "nodes",
    "/v1/view/resources": "view-resources", "/v1/view/storage-pools": "view-storage-pools",
    "/v1/resource-definitions": "resource-definitions", "/v1/resource-groups": "resource-groups",
    "/v1/node-connections": "node-connections", "/v1/error-reports": "error-reports",
}
ETCD = {"/metrics": "metrics", "/health": "health", "/version": "version",
        "/v3/maintenance/status": "status", "/v3/cluster/member/list": "members", "/v3/maintenance/alarm": "alarms"}
TAILSCALE = {"/localapi/v0/status": "status", "/localapi/v0/prefs": "prefs", "/localapi/v0/usermetrics": "usermetrics"}


def quiet(server, request, client_address):
    """A client that goes away is no news; anything else is."""
    if not isinstance(sys.exc_info()[1], ConnectionError):
        socketserver.BaseServer.handle_error(server, request, client_address)


class Upstream:
    """One server. `url` for TCP, `socket_path` for a unix socket."""

    def __init__(self, name, folders, table, socket_path=None, port=0, address="127.0.0.1"):
        self.name, self.folders, self.table = name, folders, table
        self.behaviour = None
        self.requests = []
        self.closed = threading.Event()
        self.socket_path = socket_path
        upstream = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                length = int(self.headers.get("Content-Length") or 0)
                if length:
                    self.rfile.read(length)
                upstream.requests.append((self.command, self.path, dict(self.headers)))
                path = urllib.parse.urlsplit(self.path).path
                if upstream.behaviour and upstream.behaviour(self, path):
                    return
                if "watch=1" in self.path:
                    return self.say_nothing()
                status, content_type, body = upstream.answer(self.path)
                self.reply(status, content_type, body)

            do_POST = do_GET

            def reply(self, status, content_type, body):
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def say_nothing(self):
                """A watch during which nothing changes."""
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                upstream.closed.wait()
                self.wfile.write(b"0\r\n\r\n")

            def address_string(self):
                return "client"

            def log_message(self, *_):
                pass

        if socket_path:
            class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
                daemon_threads = True
                handle_error = quiet
            self.server = UnixServer(socket_path, Handler)
        else:
            class TcpServer(http.server.ThreadingHTTPServer):
                daemon_threads = True
                request_queue_size = 128
                handle_error = quiet
            self.server = TcpServer((address, port), Handler)
            self.url = f"http://{address}:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def answer(self, raw_path):
        split = urllib.parse.urlsplit(raw_path)
        if "watch=1" in split.query:  # only asked by those who serve whole answers
            return 405, "text/plain", b"no watches here\n"
        answer = self.table.get(split.path)
        parts = split.path.split("/")
        if answer is None and self.name == "linstor" and split.path.endswith("/resource-connections"):
            answer = "resource-connections-" + parts[3]
        if answer is None:
            return 404, "text/plain", b"404 page not found\n"
        for folder in self.folders:
            for extension, content_type in ((".json", "application/json"), (".txt", "text/plain; version=0.0.4")):
                file = folder / (answer + extension)
                if file.exists():
                    body = file.read_bytes()
                    status = 200
                    if answer == "health" and b'"false"' in body:
                        status = 503
                    return status, content_type, body
        return 404, "text/plain", b"404 page not found\n"

    def close(self):
        self.closed.set()
        self.server.shutdown()
        self.server.server_close()
        if self.socket_path and os.path.exists(self.socket_path):
            os.unlink(self.socket_path)


class Upstreams:
    """All upstreams of a recording's step (with what it inherits from earlier steps), and a
    configuration that leads to them."""

    def __init__(self, recording, step=None, scratch=None):
        recording = pathlib.Path(recording)
        steps = sorted(p for p in recording.iterdir() if p.is_dir() and (p / "recorded_at").exists())
        if steps:
            last = len(steps) - 1 if step is None else [p.name for p in steps].index(step)
            layers = list(reversed(steps[: last + 1]))
        else:
            layers = [recording]
        self.scratch = pathlib.Path(scratch)
        self.all = {}

        def folders(*names):
            return [layer.joinpath(*names) for layer in layers if layer.joinpath(*names).is_dir()]

        def targets(source):
            return sorted({p.name for layer in layers if (layer / source).is_dir() for p in (layer / source).iterdir() if p.is_dir()})

        for name, table in (("kubernetes", KUBERNETES), ("traefik", TRAEFIK), ("headscale", HEADSCALE), ("linstor", LINSTOR)):
            if folders(name):
                self.all[name] = Upstream(name, folders(name), table)
        for member in targets("etcd"):
            self.all["etcd/" + member] = Upstream("etcd", folders("etcd", member), ETCD)
        for node in targets("tailscale"):
            path = str(self.scratch / (node + ".sock"))
            self.all["tailscale/" + node] = Upstream("tailscale", folders("tailscale", node), TAILSCALE, path)

    def configuration(self, interval="15s", timeout="5s", extra=""):
        every = f"interval: {interval}, timeout: {timeout}"
        lines = []
        key = self.scratch / "headscale.key"
        key.write_text("test-api-key\n")
        token = self.scratch / "kubernetes.token"
        token.write_text("test-token\n")
        if "kubernetes" in self.all:
            lines.append(f"kubernetes: {{url: '{self.all['kubernetes'].url}', bearer_token_file: {token}, {every}}}")
        if "traefik" in self.all:
            lines.append(f"traefik: {{url: '{self.all['traefik'].url}', {every}}}")
        if "headscale" in self.all:
            lines.append(f"headscale: {{url: '{self.all['headscale'].url}', api_key_file: {key}, {every}}}")
        if "linstor" in self.all:
            lines.append(f"linstor: {{url: '{self.all['linstor'].url}', {every}}}")
        members = [n for n in self.all if n.startswith("etcd/")]
        if members:
            lines.append(f"etcd:\n  heartbeat_interval: 500ms\n  election_timeout: 5s\n  interval: {interval}\n  timeout: {timeout}\n  members:")
            lines += [f"    - {{name: {n.split('/')[1]}, url: '{self.all[n].url}'}}" for n in members]
        nodes = [n for n in self.all if n.startswith("tailscale/")]
        if nodes:
            lines.append(f"tailscale:\n  interval: {interval}\n  timeout: {timeout}\n  nodes:")
            lines += [f"    - {{name: {n.split('/')[1]}, socket: {self.all[n].socket_path}}}" for n in nodes]
        return "\n".join(lines) + "\n" + extra

    def close(self):
        for upstream in self.all.values():
            upstream.close()
