"""A real Kubernetes control plane for a test: etcd (Debian's), kube-apiserver and kube-controller-manager on loopback.

There are no kubelets: nodes are objects, and pods stay pending. What the API server and the controllers decide
(validation, admission, rights, lists, watches, which nodes a DaemonSet wants) is the real thing.
"""
import base64
import contextlib
import json
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "end_to_end"))
from exporter import wait_for  # noqa: E402

PATIENCE_SECONDS = 300  # against hanging only


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in sockets]


class ApiServer:
    """Use: with ApiServer(programs, folder) as server: server.kubectl("get", "nodes")"""

    def __init__(self, programs, folder, address="127.0.0.1", users=None):
        """`users`: {name: group}, each with its name as its token."""
        self.programs, self.folder = pathlib.Path(programs), pathlib.Path(folder)
        self.address, self.users = address, {"administrator": "system:masters", **(users or {})}
        etcd_client, etcd_peer, self.port = free_ports(3)
        self.etcd_url, self.etcd_peer_url = f"http://127.0.0.1:{etcd_client}", f"http://127.0.0.1:{etcd_peer}"
        self.url = f"https://{address}:{self.port}"
        self.ca = self.folder / "serving/apiserver.crt"  # self-signed: its own authority
        self.kubeconfig = self.folder / "admin.yaml"
        self.running = {}

    def start(self, name, *command):
        log = open(self.folder / f"{name}.log", "ab")
        self.running[name] = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log,
                                              stdin=subprocess.DEVNULL)
        log.close()

    def stop(self, name):
        process = self.running.pop(name)
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()

    def start_api_server(self):
        self.start("kube-apiserver", self.programs / "kube-apiserver", f"--etcd-servers={self.etcd_url}",
                   f"--secure-port={self.port}", f"--bind-address={self.address}", f"--cert-dir={self.folder}/serving",
                   "--authorization-mode=Node,RBAC", f"--token-auth-file={self.folder}/tokens.csv",
                   "--kubelet-preferred-address-types=InternalIP",
                   "--service-account-issuer=https://kubernetes.default.svc", "--allow-privileged=true",
                   f"--service-account-key-file={self.folder}/accounts.key", "--service-cluster-ip-range=10.96.0.0/16",
                   f"--service-account-signing-key-file={self.folder}/accounts.key")
        wait_for("the API server", self.answers, PATIENCE_SECONDS)

    def answers(self):
        try:
            return self.get("/readyz") == "ok"
        except (OSError, urllib.error.URLError):
            return False

    def get(self, path, token="administrator"):
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {token}"})
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return urllib.request.urlopen(request, timeout=20, context=context).read().decode()

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["openssl", "genrsa", "-out", self.folder / "accounts.key", "2048"], check=True, capture_output=True)
        tokens = "".join(f'{user},{user},{user},"{group}"\n' for user, group in self.users.items())
        (self.folder / "tokens.csv").write_text(tokens)
        self.start("etcd", "etcd", "--data-dir", self.folder / "etcd", "--listen-client-urls", self.etcd_url,
                   "--advertise-client-urls", self.etcd_url, "--listen-peer-urls", self.etcd_peer_url,
                   "--initial-advertise-peer-urls", self.etcd_peer_url,
                   "--initial-cluster", f"default={self.etcd_peer_url}")
        try:
            self.start_api_server()
            certificate = base64.b64encode(self.ca.read_bytes()).decode()
            self.kubeconfig.write_text(json.dumps({
                "apiVersion": "v1", "kind": "Config", "current-context": "it",
                "clusters": [{"name": "it", "cluster": {"server": self.url, "certificate-authority-data": certificate}}],
                "users": [{"name": "it", "user": {"token": "administrator"}}],
                "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}]}))
            self.start("kube-controller-manager", self.programs / "kube-controller-manager",
                       f"--kubeconfig={self.kubeconfig}", "--use-service-account-credentials=true", "--secure-port=0",
                       f"--service-account-private-key-file={self.folder}/accounts.key", "--leader-elect=false",
                       f"--root-ca-file={self.ca}", f"--flex-volume-plugin-dir={self.folder}/volume-plugins")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in reversed(list(self.running)):
            self.stop(name)

    def kubectl(self, *arguments, text=None, check=True):
        """What it printed; with check=False (exit code, what it printed)."""
        done = subprocess.run([self.programs / "kubectl", "--kubeconfig", self.kubeconfig, *arguments], input=text,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE_SECONDS)
        if not check:
            return done.returncode, done.stdout
        assert done.returncode == 0, (arguments, done.stdout)
        return done.stdout
