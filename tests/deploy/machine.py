"""A Debian machine for a test: a root made from Debian's packages, booted with systemd by nspawn.

Its network has loopback only. Needs root, mmdebstrap and systemd-container.
"""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "end_to_end"))
from exporter import Exporter, wait_for  # noqa: E402, F401

PATIENCE_SECONDS = 600  # against hanging only


def run(*command, check=True, **options):
    """(exit code, what it printed)"""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL, timeout=PATIENCE_SECONDS, **options)
    assert not check or done.returncode == 0, (command, done.returncode, done.stdout[-4000:])
    return done.returncode, done.stdout


def make_root(root, *packages, architecture=None, variant="minbase"):
    """A fresh Debian 12 in the folder `root`, which must not exist."""
    command = ["mmdebstrap", "--quiet", "--dpkgopt=force-unsafe-io", f"--variant={variant}", f"--include={','.join(packages)}"]
    if architecture:
        command.append(f"--architectures={architecture}")
    run(*command, "bookworm", root)


def fetch_in_network_of(process, path, port=10067):
    """(status, body) over the loopback that this process sees; status 0 when nobody listens."""
    script = ("import json, sys, urllib.request, urllib.error\n"
              "try: answer = urllib.request.urlopen(sys.argv[1], timeout=10)\n"
              "except urllib.error.HTTPError as error: answer = error\n"
              "except OSError: print('[0, \"\"]'); sys.exit()\n"
              "print(json.dumps([answer.status, answer.read().decode()]))")
    return json.loads(run("nsenter", "-t", process, "--net", "--", sys.executable, "-c", script,
                          f"http://127.0.0.1:{port}{path}")[1])


class Machine:
    """Use: with Machine(root) as machine: machine.run("systemctl", "start", ...)"""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.leader = None

    def __enter__(self):
        self.console = tempfile.TemporaryFile()
        self.nspawn = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--console=pipe",
             "-D", str(self.root), "--boot"],
            stdin=subprocess.DEVNULL, stdout=self.console, stderr=subprocess.STDOUT)
        try:
            self.leader = wait_for("the machine's init", self.init)
            wait_for("the end of booting", self.has_booted, PATIENCE_SECONDS)
        except BaseException:
            self.console.seek(0)
            print(self.console.read()[-4000:].decode(errors="replace"), flush=True)
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        # The first process takes everything inside with it; an orderly end would only take time.
        os.kill(int(self.leader or self.nspawn.pid), signal.SIGKILL)
        self.nspawn.wait(30)
        self.console.close()

    def has_booted(self):
        return self.run("systemctl", "is-system-running", check=False)[1].strip() in ("running", "degraded")

    def init(self):
        """The process that is number 1 inside. Before it, nspawn has a child that only prepares the root and ends."""
        children = pathlib.Path(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children").read_text().split()
        for child in children:
            with contextlib.suppress(OSError):
                status = pathlib.Path(f"/proc/{child}/status").read_text()
                if re.search(r"^Name:\tsystemd$", status, re.M) and re.search(r"^NSpid:.*\t1$", status, re.M):
                    return child
        return None

    def run(self, *command, check=True):
        return run("nsenter", "-t", self.leader, "-a", "--root", "--wd", "env", "-i", "LANG=C.UTF-8",
                   "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", *command, check=check)

    def write(self, path, text, mode=0o644):
        file = self.seen_from_outside(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def seen_from_outside(self, path):
        """Also of what is mounted inside, such as /run."""
        return pathlib.Path(f"/proc/{self.leader}/root") / path.lstrip("/")

    def fetch(self, path, port=10067):
        return fetch_in_network_of(self.leader, path, port)

    def metrics(self):
        """The page when the first snapshot is there."""
        wait_for("a first snapshot", lambda: self.fetch("/-/ready")[0] == 200)
        status, text = self.fetch("/metrics")
        assert status == 200, text
        return text


def main_of(steps):
    """Runs them in this order, prints one line each; the first failure ends the process."""
    import traceback
    for step in steps:
        try:
            step()
        except Exception:
            print("FAILED  ", step.__name__, flush=True)
            traceback.print_exc()
            sys.exit(1)
        print("ok      ", step.__name__, flush=True)
