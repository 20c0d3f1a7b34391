"""The arm64 package and image, run on this machine by qemu.

    arm64_test.py PACKAGE.deb IMAGE.oci.tar RECORDINGS
"""
import json
import pathlib
import shlex
import shutil
import sys
import tarfile
import tempfile

from machine import Exporter, main_of, run

PACKAGE, IMAGE, RECORDINGS = (pathlib.Path(word).resolve() for word in sys.argv[1:])
QEMU = shutil.which("qemu-aarch64-static") or shutil.which("qemu-aarch64")
LARGEST_BYTES = 60 * 1024 * 1024
STEP = RECORDINGS / "night/00-everything-broken"


class Story:
    def __init__(self, scratch):
        self.scratch = pathlib.Path(scratch)
        self.root = self.scratch / "bundle/rootfs"
        self.program = self.scratch / "program"

    def the_package_is_for_arm64(self):
        assert run("dpkg-deb", "-f", PACKAGE, "Architecture")[1].strip() == "arm64"
        depends = run("dpkg-deb", "-f", PACKAGE, "Depends")[1]
        for library in ("libc6", "libcurl4", "libstdc++6", "libyaml-cpp0.7", "libprometheus-cpp-core1.0"):
            assert library in depends, depends
        run("dpkg-deb", "-x", PACKAGE, self.scratch / "package")
        header = run("readelf", "-h", self.scratch / "package/usr/bin/shortcircuit-exporter")[1]
        assert "AArch64" in header, header

    def the_image_is_for_arm64(self):
        layout = self.scratch / "image"
        with tarfile.open(IMAGE) as archive:
            archive.extractall(layout)
        [manifest] = json.loads((layout / "index.json").read_text())["manifests"]
        assert manifest["platform"]["architecture"] == "arm64", manifest

        def blob(descriptor):
            return json.loads((layout / "blobs" / descriptor["digest"].replace(":", "/")).read_text())
        configuration = blob(blob(manifest)["config"])
        assert configuration["architecture"] == "arm64"
        assert configuration["config"]["User"] == "65532:65532", configuration
        tag = manifest["annotations"]["org.opencontainers.image.ref.name"]
        run("umoci", "unpack", "--image", f"{layout}:{tag}", self.scratch / "bundle")
        size = sum(path.lstat().st_size for path in self.root.rglob("*") if path.is_file() and not path.is_symlink())
        assert size < LARGEST_BYTES and IMAGE.stat().st_size < LARGEST_BYTES, (size, IMAGE.stat().st_size)
        assert json.loads((self.scratch / "bundle/config.json").read_text())["process"]["user"]["uid"] == 65532
        # The package's program with the image's libraries, so that both are tried.
        assert (self.root / "usr/bin/shortcircuit-exporter").read_bytes() == \
            (self.scratch / "package/usr/bin/shortcircuit-exporter").read_bytes()
        self.program.write_text(f"#!/bin/sh\nexec {QEMU} -L {shlex.quote(str(self.root))} "
                                f"{shlex.quote(str(self.root))}/usr/bin/shortcircuit-exporter \"$@\"\n")
        self.program.chmod(0o755)

    def says_its_version(self):
        out = run(self.program, "--version")[1]
        assert out.startswith("shortcircuit-exporter "), out

    def looks_once(self):
        code, out = run(self.program, "check", "--replay", STEP, check=False)
        assert code == 1 and "endpoint_address_stale" in out and "middleware_missing" in out, (code, out)

    def serves_what_amd64_serves(self):
        def findings(text):
            return {line for line in text.splitlines() if line.startswith("shortcircuit_finding{")}
        wanted = findings((RECORDINGS.parent / "golden/night.txt").read_text().split("## step ")[1])
        with Exporter(str(self.program), "--replay", str(STEP)) as exporter:
            found = findings(exporter.ready().text())
        assert len(found) > 10 and found == wanted, found ^ wanted


with tempfile.TemporaryDirectory() as folder:
    story = Story(folder)
    main_of([story.the_package_is_for_arm64, story.the_image_is_for_arm64, story.says_its_version,
             story.looks_once, story.serves_what_amd64_serves])
