"""A real Kubernetes node for a test, beside the control plane of api_server.py: containerd and runc (Debian's), kubelet,
kube-scheduler and kube-proxy, pods with addresses on a bridge.

To be run as the first process of namespaces of its own for mounts, network and processes (`unshare --mount --net --pid
--fork --mount-proc`): whatever these programs mount, add to the network or leave running goes with the last of them.
"""
import contextlib
import json
import os
import pathlib
import secrets
import signal
import sys

from api_server import ApiServer, PATIENCE_SECONDS, wait_for
from machine import run

ADDRESS = "10.77.0.1"  # the node's; pods get theirs from K3s' range
CGROUPS = pathlib.Path("/sys/fs/cgroup")
CGROUP = f"shortcircuit-test-{secrets.token_hex(4)}"  # the one thing that is not in a namespace
# What the kubelet wants to find there, and would write for the whole machine.
KERNEL_SETTINGS = {"vm/overcommit_memory": 1, "vm/panic_on_oom": 0, "kernel/panic": 10, "kernel/panic_on_oops": 1,
                   "kernel/keys/root_maxkeys": 1000000, "kernel/keys/root_maxbytes": 25000000}
PAUSE = "registry.k8s.io/pause:3.6"  # what Debian's containerd wants in every pod

CONTAINERD = """version = 2
root = "{folder}/containerd"
state = "/run/containerd"
oom_score = 0
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  # A machine may lack the right to give the pods' first process a better score than its own.
  restrict_oom_score_adj = true
  sandbox_image = "{pause}"
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "{folder}/cni"
"""


def kubelet_configuration(folder):
    everybody = {"anonymous": {"enabled": True}, "webhook": {"enabled": False}}  # its port is in this network only
    return {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
            "authentication": everybody, "authorization": {"mode": "AlwaysAllow"},
            "cgroupDriver": "cgroupfs", "cgroupRoot": f"/{CGROUP}", "failCgroupV1": False, "oomScoreAdj": 0,
            "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock", "failSwapOn": False,
            "clusterDNS": ["10.96.0.10"], "clusterDomain": "cluster.local", "resolvConf": f"{folder}/resolv.conf",
            "volumePluginDir": f"{folder}/volume-plugins",
            # A full disk of this machine is not the test's business.
            "evictionHard": {"memory.available": "0%", "nodefs.available": "0%", "nodefs.inodesFree": "0%",
                             "imagefs.available": "0%", "imagefs.inodesFree": "0%"}}


def proxy_configuration(kubeconfig):
    untouched = {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"}
    return {"apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration", "mode": "iptables",
            "clientConnection": {"kubeconfig": str(kubeconfig)}, "conntrack": untouched, "oomScoreAdj": 0}


NETWORK = {"cniVersion": "0.4.0", "name": "pods", "plugins": [
    {"type": "bridge", "bridge": "cni0", "isDefaultGateway": True, "hairpinMode": True,
     "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.42.0.0/24"}]], "dataDir": "/run/cni"}},
    {"type": "portmap", "capabilities": {"portMappings": True}}]}


def removed(group):
    """Whether it is gone: what was killed in it may take a moment."""
    with contextlib.suppress(OSError):
        os.rmdir(group)
        return True


class Node(ApiServer):
    """Use: with Node(programs, folder, name) as node: node.ctr("images", "ls")"""

    def __init__(self, programs, folder, name):
        super().__init__(programs, folder, address=ADDRESS, users={f"system:node:{name}": "system:nodes"})
        self.name = name

    def __enter__(self):
        assert os.getpid() == 1, "unshare --mount --net --pid --fork --mount-proc, please"
        assert (CGROUPS / "memory").is_dir(), "made for control groups of version 1"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.make_ready()
        super().__enter__()
        try:
            self.start("containerd", "containerd", "--config", self.folder / "containerd.toml")
            wait_for("containerd", lambda: self.ctr("version", check=False)[0] == 0, PATIENCE_SECONDS)
            self.import_pause()
            self.start("kube-scheduler", self.programs / "kube-scheduler", f"--kubeconfig={self.kubeconfig}",
                       "--leader-elect=false", "--secure-port=0")
            self.start("kube-proxy", self.programs / "kube-proxy", f"--config={self.folder}/proxy.json",
                       f"--hostname-override={self.name}")
            self.start_kubelet()
            wait_for("a node that is ready", lambda: "True" in self.kubectl(
                "get", "node", self.name, "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].status}", check=False)[1],
                PATIENCE_SECONDS)
        except BaseException:
            self.__exit__()
            raise
        return self

    def make_ready(self):
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "node0", "type", "bridge")
        run("ip", "address", "add", f"{ADDRESS}/24", "dev", "node0")
        run("ip", "link", "set", "node0", "up")
        pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        for place in ("/run", "/var/log"):
            run("mount", "-t", "tmpfs", "-o", "mode=755", "node", place)
        for place in ("var", "work"):  # there some folders of the kubelet's and the network's cannot be chosen
            (self.folder / place).mkdir()
        run("mount", "-t", "overlay", "-o", f"lowerdir=/var/lib,upperdir={self.folder}/var,workdir={self.folder}/work",
            "node", "/var/lib")
        for name, value in KERNEL_SETTINGS.items():
            file = self.folder / name.replace("/", ".")
            file.write_text(f"{value}\n")
            run("mount", "--bind", file, f"/proc/sys/{name}")
        for controller in CGROUPS.iterdir():
            (controller / CGROUP).mkdir(exist_ok=True)
        (self.folder / "cni").mkdir(exist_ok=True)
        (self.folder / "cni/pods.conflist").write_text(json.dumps(NETWORK))
        (self.folder / "resolv.conf").write_text("")
        (self.folder / "containerd.toml").write_text(CONTAINERD.format(folder=self.folder, pause=PAUSE))
        (self.folder / "kubelet.json").write_text(json.dumps(kubelet_configuration(self.folder)))
        (self.folder / "proxy.json").write_text(json.dumps(proxy_configuration(self.kubeconfig)))

    def start_kubelet(self):
        kubeconfig = self.folder / "kubelet.yaml"
        administrator = json.loads(self.kubeconfig.read_text())
        administrator["users"][0]["user"]["token"] = f"system:node:{self.name}"
        kubeconfig.write_text(json.dumps(administrator))
        self.start("kubelet", self.programs / "kubelet", f"--config={self.folder}/kubelet.json",
                   f"--kubeconfig={kubeconfig}", f"--root-dir={self.folder}/kubelet", f"--cert-dir={self.folder}/kubelet/pki",
                   f"--node-ip={ADDRESS}", f"--hostname-override={self.name}")

    def import_pause(self):
        """registry.k8s.io is out of reach: the first process of every pod does nothing, so it is made here."""
        place = self.folder / "pause"
        (place / "root").mkdir(parents=True)
        (place / "pause.c").write_text("#include <unistd.h>\nint main(void) { for (;;) pause(); }\n")
        run("gcc", "-static", "-Os", "-o", place / "root/pause", place / "pause.c")
        run("tar", "-c", "-C", place / "root", "-f", place / "layer.tar", "pause")
        name, _, tag = PAUSE.rpartition(":")
        image = f"{place}/image:{tag}"
        run("umoci", "init", "--layout", place / "image")
        run("umoci", "new", "--image", image)
        run("umoci", "raw", "add-layer", "--image", image, place / "layer.tar")
        run("umoci", "config", "--image", image, "--config.entrypoint", "/pause")
        run("tar", "-c", "-C", place / "image", "-f", place / "image.tar", ".")
        self.ctr("images", "import", "--base-name", name, place / "image.tar")

    def ctr(self, *arguments, check=True):
        """As `k3s ctr`, which speaks of Kubernetes' images."""
        code, out = run("ctr", "-n", "k8s.io", *arguments, check=check)
        return out if check else (code, out)

    def __exit__(self, *_):
        super().__exit__()
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)  # from the first process: everything else here
        with contextlib.suppress(ChildProcessError):
            while True:
                os.wait()
        mounted = [line.split(" ")[1] for line in pathlib.Path("/proc/mounts").read_text().splitlines()]
        for place in reversed([place for place in mounted if place.startswith(f"{self.folder}/")]):
            run("umount", "--lazy", place)
        for controller in CGROUPS.iterdir():
            for group, _, _ in os.walk(controller / CGROUP, topdown=False):
                wait_for("an empty control group", lambda: removed(group))


if __name__ == "__main__":  # by hand: until it is ended
    with Node(sys.argv[1], sys.argv[2], sys.argv[3]) as by_hand:
        print(f"nsenter --mount --net --pid --target PID; export KUBECONFIG={by_hand.kubeconfig}", flush=True)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        signal.pause()
