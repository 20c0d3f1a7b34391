"""The Debian package on a machine with systemd: installed, run, reloaded, upgraded, purged.

    package_test.py PACKAGE RECORDINGS
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from by_hand import CONFIGURATION, DEPLOY, NAME, ByHand
from machine import Machine, main_of, make_root, run, wait_for

PACKAGE, RECORDINGS = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
DROP_IN = f"/etc/systemd/system/{NAME}.service.d"
TLS = DEPLOY / "tls"


def next_version(package, folder):
    """The same with a higher version and with other words in a file that administrators edit."""
    tree = pathlib.Path(folder) / "next"
    run("dpkg-deb", "-R", package, tree)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^(Version: .*)$", r"\1+next", control.read_text()))
    (tree / CONFIGURATION.lstrip("/")).write_text("probes: []\n# Of the next version.\n")
    run("dpkg-deb", "--root-owner-group", "-b", tree, f"{folder}/next.deb")
    return f"{folder}/next.deb"


def files_of(root):
    """Every path, but for what dpkg, apt and the running system keep for themselves."""
    own = ("proc", "sys", "dev", "run", "tmp", "root", "srv", "var/log", "var/cache", "var/lib/dpkg", "var/lib/apt",
           "var/lib/systemd", "var/tmp", "etc/machine-id", "etc/ld.so.cache", "var/lib/dbus", "var/lib/nginx")
    found = set()
    for path in pathlib.Path(root).rglob("*"):
        name = str(path.relative_to(root))
        if not name.startswith(own):
            found.add(name)
    return found


def accounts_of(root):
    return (root / "etc/passwd").read_text() + (root / "etc/group").read_text()


class Story(ByHand):
    """One machine through the life of the package; each step is a test, in this order."""

    def __init__(self, folder):
        self.package = PACKAGE
        self.root = pathlib.Path(folder) / "root"
        self.next = next_version(PACKAGE, folder)
        make_root(self.root, "systemd", "systemd-sysv", "init-system-helpers", "stunnel4", "nginx-light",
                  "apache2-utils", "openssl", "curl")
        (self.root / "etc/hostname").write_text("monitor\n")
        (self.root / "etc/hosts").write_text("127.0.0.1 localhost monitor\n")
        depends = run("dpkg-deb", "-f", PACKAGE, "Depends")[1].strip()
        run("chroot", self.root, "apt-get", "update", "-q")
        run("chroot", self.root, "apt-get", "satisfy", "-qy", "--no-install-recommends", depends)
        shutil.copy(PACKAGE, self.root / "srv/this.deb")
        shutil.copy(self.next, self.root / "srv/next.deb")
        shutil.copytree(RECORDINGS / "night", self.root / "srv/night")
        self.before = files_of(self.root)
        self.accounts = accounts_of(self.root)
        self.machine = None

    def nothing_is_left(self):
        left = files_of(self.root) - self.before
        assert not left, sorted(left)
        helper = self.root / "var/lib/systemd"
        assert not [p for p in helper.rglob("*") if NAME in p.name], list(helper.rglob("*"))
        assert accounts_of(self.root) == self.accounts
        code, out = run("chroot", self.root, "dpkg-query", "-W", NAME, check=False)
        assert code != 0, out

    def without_systemd(self):
        """As in a container: installs, runs by hand, goes."""
        run("chroot", self.root, "dpkg", "-i", "/srv/this.deb")
        code, out = run("chroot", self.root, NAME, "check", "--replay", "/srv/night/00-everything-broken", check=False)
        assert code == 1 and "endpoint_address_stale" in out, out
        run("chroot", self.root, "dpkg", "--purge", NAME)
        self.nothing_is_left()

    def started_by_installing(self):
        self.machine.run("apt-get", "install", "-qy", "--no-install-recommends", "/srv/this.deb")
        assert self.machine.run("systemctl", "is-active", NAME)[1].strip() == "active"
        assert self.machine.run("systemctl", "is-enabled", NAME)[1].strip() == "enabled"
        assert "shortcircuit_build_info" in self.machine.metrics()

    def plays_a_recording(self):
        self.machine.write(f"/etc/default/{NAME}", 'ARGS="--replay /srv/night --replay.step-interval 1h"\n')
        self.machine.write(CONFIGURATION, (RECORDINGS / "night/shortcircuit.yaml").read_text())
        self.machine.run("systemctl", "restart", NAME)
        page = self.machine.metrics()
        assert page.count("\nshortcircuit_finding{") > 10, page[:2000]

    def reads_the_socket_and_secrets_of_root(self):
        secret = "tsk-secret-of-root"
        self.machine.write(f"/etc/{NAME}/headscale.key", secret + "\n", mode=0o600)
        self.machine.write(f"{DROP_IN}/secrets.conf",
                           f"[Service]\nLoadCredential=headscale:/etc/{NAME}/headscale.key\n")
        socket = self.machine.seen_from_outside("/run/tailscale/tailscaled.sock")
        socket.parent.mkdir(mode=0o755, exist_ok=True)
        recording = RECORDINGS / "mesh-healthy"
        node = sorted((recording / "tailscale").iterdir())[0].name
        neighbours = subprocess.Popen(
            ["nsenter", "-t", self.machine.leader, "--net", "--", sys.executable,
             str(pathlib.Path(__file__).with_name("fake_neighbours.py")), str(recording), "18080", str(socket), secret],
            stdout=subprocess.PIPE, text=True)
        try:
            assert neighbours.stdout.readline() == "answering\n"
            self.machine.write(f"/etc/default/{NAME}", "ARGS=\n")
            self.machine.write(CONFIGURATION, (
                "headscale: {url: 'http://127.0.0.1:18080', interval: 1s, timeout: 900ms,"
                f" api_key_file: /run/credentials/{NAME}.service/headscale}}\n"
                f"tailscale: {{interval: 1s, timeout: 900ms, nodes: [{{name: {node}, socket: /run/tailscale/tailscaled.sock}}]}}\n"))
            self.machine.run("systemctl", "daemon-reload")
            self.machine.run("systemctl", "restart", NAME)
            page = self.machine.metrics()
            ups = re.findall(r"(?m)^shortcircuit_source_up\{.*\} (\d)$", page)
            assert ups == ["1", "1"], page[:3000]
            journal = self.machine.run("journalctl", "-u", NAME, "--no-pager")[1]
            assert secret not in page + journal + self.machine.fetch("/config")[1]
            self.machine.run(NAME, "check", "--config", CONFIGURATION)
        finally:
            neighbours.kill()
            neighbours.wait()

    def asks_for_a_password_over_https_as_told(self):
        """The commands of deploy/tls/README.md, one after the other, in a folder that looks like the repository."""
        told = (TLS / "README.md").read_text()
        hashes, *unit, ask_itself, plain, stunnel, nginx, ask = re.findall(
            r"```sh\n(.*?)```", told.split("## On Kubernetes")[0], re.S)
        assert "stunnel4" in stunnel and "nginx-light" in nginx and len(unit) == 2 and "127.0.0.1:10067" in plain
        assert ":10067/metrics" in ask_itself and ":10443/metrics" in ask
        place = "/srv/repository"
        shutil.copytree(TLS, self.machine.seen_from_outside(f"{place}/deploy/tls"))

        def shell(script):
            return self.machine.run("bash", "-euc", f"cd {place}\n{script}")[1]
        printed = shell(re.sub(r"(?m)^htpasswd -nBC .*$", "", hashes))  # it would ask
        users = re.search(r"^(prometheus):(\$2y\$\S+)$", printed, re.M)
        self.machine.write(f"{place}/web.yml", f"basic_auth_users:\n  {users[1]}: {users[2]}\n")
        for script in unit:
            shell(script)
        wait_for("HTTPS", lambda: "shortcircuit_build_info" in shell(ask_itself.replace("| head", "|| true")))
        shell(plain)
        for proxy, script in (("stunnel@shortcircuit", stunnel), ("nginx", nginx)):
            shell(script)
            wait_for(f"an answer through {proxy}", lambda: "shortcircuit_build_info" in shell(
                ask.replace("| head", "|| true")))
            assert self.machine.fetch("/-/healthy")[0] == 401
            self.machine.run("systemctl", "stop", proxy)
        assert "shortcircuit_build_info" not in shell(ask)
        self.machine.run("systemctl", "disable", "stunnel@shortcircuit")
        self.machine.run("rm", "-r", place, f"{DROP_IN}/web.conf", f"{DROP_IN}/web.proxy.conf", "/etc/stunnel/shortcircuit.conf",
                         "/etc/nginx/conf.d/shortcircuit.conf",
                         *(f"/etc/{NAME}/{each}" for each in ("web.yml", "tls.crt", "tls.key")))
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("systemctl", "restart", NAME)

    def may_do_next_to_nothing(self):
        pid = self.main_process()
        status = self.machine.run("cat", f"/proc/{pid}/status")[1]
        fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        assert int(fields["Uid"].split()[0]) >= 61184, fields["Uid"]  # the range of DynamicUser=
        for set_of in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(fields[set_of], 16) == 0, (set_of, fields[set_of])
        assert fields["NoNewPrivs"].strip() == "1" and fields["Seccomp"].strip() == "2", status

    def reloads_and_says_when_it_cannot(self):
        state = "shortcircuit_config_last_reload_successful "
        pid = self.main_process()
        self.machine.write(CONFIGURATION, "no_such_key: 1\n")
        code, _ = self.machine.run("systemctl", "reload", NAME, check=False)
        assert code != 0
        wait_for("a reload that failed", lambda: state + "0" in self.machine.fetch("/metrics")[1])
        assert "no_such_key" in self.machine.run("journalctl", "-u", NAME, "--no-pager")[1]
        self.machine.write(CONFIGURATION, "probes: []\n# Edited by the administrator.\n")
        self.machine.run("systemctl", "reload", NAME)
        wait_for("a reload that worked", lambda: state + "1" in self.machine.fetch("/metrics")[1])
        assert self.main_process() == pid

    def comes_back_after_a_crash(self):
        self.machine.write(f"{DROP_IN}/soon.conf", "[Service]\nRestartSec=1s\n")
        self.machine.run("systemctl", "daemon-reload")
        pid = self.main_process()
        self.machine.run("bash", "-c", f"kill -SEGV {pid}")
        wait_for("another process", lambda: self.main_process() not in ("0", pid))
        self.machine.metrics()

    def upgraded_with_an_edited_file(self):
        pid = self.main_process()
        self.machine.run("apt-get", "install", "-qy", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confdef",
                         "-o", "Dpkg::Options::=--force-confold", "/srv/next.deb")
        assert "Edited by the administrator" in self.machine.seen_from_outside(CONFIGURATION).read_text()
        assert self.machine.run("dpkg-query", "-W", "-f", "${Version}", NAME)[1].endswith("+next")
        assert self.machine.run("systemctl", "is-active", NAME)[1].strip() == "active"
        assert self.main_process() != pid
        self.machine.metrics()

    def stays_disabled_over_an_upgrade(self):
        self.machine.run("systemctl", "disable", "--now", NAME)
        self.machine.run("apt-get", "install", "-qy", "--reinstall", "/srv/next.deb")
        assert self.machine.run("systemctl", "is-enabled", NAME, check=False)[1].strip() == "disabled"
        self.machine.run("systemctl", "enable", "--now", NAME)

    def removed_but_for_its_configuration(self):
        self.machine.run("apt-get", "remove", "-qy", NAME)
        assert self.machine.fetch("/metrics")[0] == 0
        assert not self.machine.seen_from_outside(f"/usr/bin/{NAME}").exists()
        assert self.machine.seen_from_outside(CONFIGURATION).exists()

    def purged_without_a_trace(self):
        # The administrator's own files are the administrator's.
        self.machine.run("rm", "-r", DROP_IN, f"/etc/{NAME}/headscale.key")
        self.machine.run("apt-get", "purge", "-qy", NAME)
        assert "could not be found" in self.machine.run("systemctl", "status", NAME, check=False)[1]
        self.nothing_is_left()


with tempfile.TemporaryDirectory() as scratch:
    story = Story(scratch)
    main_of([story.without_systemd])
    with Machine(story.root) as story.machine:
        main_of([story.by_hand_as_told, story.fails_to_start_where_the_port_is_taken,
                 story.answers_at_a_port_that_systemd_holds, story.removed_by_hand, story.moves_to_the_package,
                 story.started_by_installing, story.plays_a_recording, story.reads_the_socket_and_secrets_of_root,
                 story.asks_for_a_password_over_https_as_told, story.may_do_next_to_nothing,
                 story.reloads_and_says_when_it_cannot, story.comes_back_after_a_crash,
                 story.upgraded_with_an_edited_file, story.stays_disabled_over_an_upgrade,
                 story.removed_but_for_its_configuration, story.purged_without_a_trace])
