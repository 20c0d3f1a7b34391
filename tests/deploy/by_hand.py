"""The exporter without its package, by the commands of deploy/systemd/README.md: steps of package_test.py's machine."""
import pathlib
import re
import shutil
import subprocess
import sys

from machine import run

NAME = "shortcircuit-exporter"
CONFIGURATION = f"/etc/{NAME}/shortcircuit.yaml"
DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy"
# Listens where the exporter would.
IN_THE_WAY = """import socket, time
held = socket.create_server(("0.0.0.0", 10067))
print("listening", flush=True)
time.sleep(3600)"""


def told(section=None):
    """The commands of deploy/systemd/README.md, block by block."""
    text = (DEPLOY / "systemd/README.md").read_text()
    if section:
        text = text.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", text, re.S)


class ByHand:
    """What a story needs: `machine`, `package` (its program is taken), `nothing_is_left()`."""

    def main_process(self):
        return self.machine.run("systemctl", "show", "-P", "MainPID", NAME)[1].strip()

    def in_repository(self, script):
        return self.machine.run("bash", "-euc", f"cd /srv/repository\n{script}")[1]

    def installs_by_hand(self):
        """The first block of deploy/systemd/README.md, but for compiling."""
        script = told()[0]
        self.in_repository(script[script.index("install -D -m 755"):])
        assert "shortcircuit_build_info" in self.machine.metrics()

    def by_hand_as_told(self):
        place = self.machine.seen_from_outside("/srv/repository")
        shutil.copytree(DEPLOY / "systemd", place / "deploy/systemd")
        run("dpkg-deb", "-x", self.package, place / "unpacked")
        (place / "build/package").mkdir(parents=True)
        shutil.move(place / f"unpacked/usr/bin/{NAME}", place / f"build/package/{NAME}")
        shutil.copy(self.package, place / "build/package")
        self.installs_by_hand()
        before = self.main_process()
        self.machine.write(CONFIGURATION, "probes: []\n# Mine.\n")
        self.installs_by_hand()  # the upgrade
        assert self.machine.seen_from_outside(CONFIGURATION).read_text().endswith("# Mine.\n")
        assert self.main_process() not in ("0", before)

    def fails_to_start_where_the_port_is_taken(self):
        self.machine.run("systemctl", "stop", NAME)
        other = subprocess.Popen(["nsenter", "-t", self.machine.leader, "--net", "--", sys.executable, "-c", IN_THE_WAY],
                                 stdout=subprocess.PIPE, text=True)
        try:
            assert other.stdout.readline() == "listening\n"
            code, _ = self.machine.run("systemctl", "restart", NAME, check=False)
            assert code != 0
            assert "Address already in use" in self.machine.run("journalctl", "-u", NAME, "--no-pager")[1]
        finally:
            other.kill()
            other.wait()
        self.machine.metrics()  # systemd tries again by itself

    def answers_at_a_port_that_systemd_holds(self):
        on, off = told("A port that systemd holds")
        self.in_repository(on)
        self.machine.metrics()
        self.machine.run("systemctl", "stop", NAME)
        self.machine.metrics()  # the first client starts it
        self.in_repository(off)
        self.machine.metrics()
        assert self.machine.run("systemctl", "is-active", f"{NAME}.socket", check=False)[1].strip() == "inactive"

    def removed_by_hand(self):
        self.in_repository(told("Remove")[0])
        assert self.machine.fetch("/metrics")[0] == 0
        self.nothing_is_left()

    def moves_to_the_package(self):
        self.installs_by_hand()
        self.machine.write(CONFIGURATION, "probes: []\n# Mine.\n")
        script = told("Moving to the package")[0]
        # Nobody is there to answer dpkg, and what is recommended is not in the machine.
        unasked = "apt-get install -qy --no-install-recommends -o Dpkg::Options::=--force-confold "
        self.in_repository(script.replace("apt-get install ", unasked))
        assert "/lib/systemd/system/" in self.machine.run("systemctl", "show", "-P", "FragmentPath", NAME)[1]
        assert self.machine.run("systemctl", "is-enabled", NAME)[1].strip() == "enabled"
        self.machine.metrics()
        assert self.machine.seen_from_outside(CONFIGURATION).read_text().endswith("# Mine.\n")
        self.machine.run("apt-get", "purge", "-qy", NAME)
        self.nothing_is_left()
