"""The OCI image, unpacked by umoci and run by runc (or crun) as Kubernetes would run it: a user without a
name, a read-only root, no capability.

    container_test.py IMAGE.oci.tar RECORDINGS
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

from machine import fetch_in_network_of, main_of, run, wait_for

IMAGE, RECORDINGS = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
LARGEST_BYTES = 60 * 1024 * 1024
RUNTIME = shutil.which("runc") or shutil.which("crun")


def size_of(folder):
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


class Container:
    """One running container. `arguments` follow the entry point."""

    def __init__(self, bundle, arguments, mounts=()):
        self.bundle, self.name = bundle, f"shortcircuit-test-{os.getpid()}"
        path = bundle / "config.json"
        config = json.loads(path.read_text())
        process = config["process"]
        process["terminal"] = False
        process["args"] = process["args"][:1] + list(arguments)
        process["capabilities"] = {kind: [] for kind in ("bounding", "effective", "inheritable", "permitted", "ambient")}
        process["noNewPrivileges"] = True
        config["root"]["readonly"] = True
        config["mounts"] += [{"destination": inside, "type": "none", "source": str(outside), "options": ["rbind", "ro"]}
                             for outside, inside in mounts]
        config["linux"].pop("resources", None)
        path.write_text(json.dumps(config))

    def __enter__(self):
        self.log = open(self.bundle / "log", "w+")
        self.process = subprocess.Popen([RUNTIME, "run", "--bundle", str(self.bundle), self.name],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.pid = wait_for("a running container", self.first_process)
        return self

    def first_process(self):
        assert self.process.poll() is None, (self.bundle / "log").read_text()
        code, out = run(RUNTIME, "state", self.name, check=False)
        found = re.search(r'"status": "running"', out) and re.search(r'"pid": (\d+)', out)
        return found and found.group(1)

    def __exit__(self, *_):
        run(RUNTIME, "kill", self.name, "TERM", check=False)
        try:
            self.code = self.process.wait(30)
        finally:
            run(RUNTIME, "delete", "--force", self.name, check=False)
            self.log.close()

    def fetch(self, path):
        return fetch_in_network_of(self.pid, path)


class Story:
    def __init__(self, scratch):
        self.scratch = pathlib.Path(scratch)
        self.layout = self.scratch / "image"
        with tarfile.open(IMAGE) as archive:
            archive.extractall(self.layout)
        [manifest] = json.loads((self.layout / "index.json").read_text())["manifests"]
        self.manifest = manifest
        self.tag = manifest["annotations"]["org.opencontainers.image.ref.name"]

    def bundle(self, name):
        run("umoci", "unpack", "--image", f"{self.layout}:{self.tag}", self.scratch / name)
        return self.scratch / name

    def small_and_without_a_shell(self):
        root = self.bundle("looked-at") / "rootfs"
        assert size_of(root) < LARGEST_BYTES, size_of(root)
        assert IMAGE.stat().st_size < LARGEST_BYTES
        assert [path.name for path in (root / "usr/bin").iterdir()] == ["shortcircuit-exporter"]
        writable = [path for path in root.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o6022]
        assert not writable, writable
        print(f"         {size_of(root) / 2**20:.1f} MiB unpacked, {IMAGE.stat().st_size / 2**20:.1f} MiB packed")

    def says_what_it_is_made_of(self):
        root = self.scratch / "looked-at/rootfs"
        assert "VERSION_ID=\"12\"" in (root / "etc/os-release").read_text()
        packages = [path.name for path in (root / "var/lib/dpkg/status.d").iterdir()]
        assert {"libc6", "libssl3", "libcurl4", "shortcircuit-exporter"} <= set(packages), packages
        for package in packages:
            assert re.search(r"(?m)^Version: ", (root / "var/lib/dpkg/status.d" / package).read_text()), package
            assert (root / "usr/share/doc" / package / "copyright").is_file(), package
        assert (root / "etc/ssl/certs/ca-certificates.crt").read_text().count("BEGIN CERTIFICATE") > 50
        name = self.manifest["annotations"]["io.containerd.image.name"]
        assert re.fullmatch(r"docker\.io/library/shortcircuit-exporter:\S+", name), name

    def runs_as_it_is(self):
        """The image's own command: the default configuration, which looks at nothing."""
        bundle = self.bundle("plain")
        arguments = json.loads((bundle / "config.json").read_text())["process"]["args"][1:]
        with Container(bundle, arguments) as container:
            wait_for("readiness", lambda: container.fetch("/-/ready")[0] == 200)

    def plays_a_recording_with_no_rights(self):
        container = Container(self.bundle("recording"), ["serve", "--replay", "/recording"],
                              mounts=[(RECORDINGS / "night", "/recording")])
        with container:
            wait_for("a first snapshot", lambda: container.fetch("/-/ready")[0] == 200)
            status, page = container.fetch("/metrics")
            assert status == 200 and page.count("\nshortcircuit_finding{") > 10, page[:2000]
            fields = dict(line.split(":", 1) for line in
                          pathlib.Path(f"/proc/{container.pid}/status").read_text().splitlines())
            assert fields["Uid"].split() == ["65532"] * 4, fields["Uid"]
            for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                assert int(fields[kind], 16) == 0, (kind, fields[kind])
            assert fields["NoNewPrivs"].strip() == "1"
            [root_mount] = [line for line in pathlib.Path(f"/proc/{container.pid}/mountinfo").read_text().splitlines()
                            if line.split()[4] == "/"]
            assert root_mount.split()[5].startswith("ro"), root_mount
        assert container.code == 0, container.code

    def makes_the_same_image_again(self):
        """From the same package and the same Debian."""
        package = IMAGE.with_name(IMAGE.name.replace(".oci.tar", ".deb"))
        shutil.copy(package, self.scratch)
        run(pathlib.Path(__file__).parents[2] / "deploy/container/build", self.scratch / package.name)
        assert (self.scratch / IMAGE.name).read_bytes() == IMAGE.read_bytes()


print("runtime:", run(RUNTIME, "--version")[1].splitlines()[0])
with tempfile.TemporaryDirectory() as folder:
    os.chmod(folder, 0o755)
    story = Story(folder)
    main_of([story.small_and_without_a_shell, story.says_what_it_is_made_of, story.runs_as_it_is,
             story.plays_a_recording_with_no_rights, story.makes_the_same_image_again])
