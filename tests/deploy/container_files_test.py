"""What can be said of deploy/container without a registry.  container_files_test.py

That the image of deploy/container/build runs is tested by tests/deploy/run.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "end_to_end"))
from exporter import main  # noqa: E402

ROOT = pathlib.Path(__file__).parents[2]
CONTAINERFILE = (ROOT / "deploy/container/Containerfile").read_text()
BUILD = (ROOT / "deploy/container/build").read_text()


def what_is_built_here_stays_here():
    """One file for docker, podman and buildah: podman would prefer a .containerignore, docker knows none."""
    assert not (ROOT / ".containerignore").exists()
    ignored = (ROOT / ".dockerignore").read_text().split()
    made = {each.rstrip("/") for each in (ROOT / ".gitignore").read_text().split() if each.startswith("/build")}
    assert "/build" in made and made <= set(ignored) and not [each for each in ignored if each.startswith("!")], ignored


def what_the_containerfile_names_is_there():
    lines = CONTAINERFILE.replace("\\\n", "")
    copied = [words.split()[:-1] for words in re.findall(r"(?m)^COPY (?!--from)(.*)$", lines)]
    assert copied == [["deploy/install-packages"], ["."]], copied
    programs = re.findall(r"(?m)(?:^RUN |&& )(deploy/\S+)", lines)
    assert programs == ["deploy/install-packages", "deploy/container/make-root"], programs
    for path in programs:
        assert os.access(ROOT / path, os.X_OK), path
    [preset] = re.findall(r"cmake --preset (\S+)", lines)
    assert preset in [each["name"] for each in json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]]


def both_ways_make_the_same_image():
    def told(instruction):
        return re.search(rf"(?m)^{instruction} (.*)$", CONTAINERFILE).group(1)
    assert f"--config.user {told('USER')} " in BUILD
    assert f"--config.exposedports {told('EXPOSE')}/tcp " in BUILD
    assert json.loads(told("ENTRYPOINT")) == re.findall(r"--config.entrypoint (\S+)", BUILD)
    assert json.loads(told("CMD")) == re.findall(r"--config.cmd (\S+)", BUILD)


def of_two_packages_none_is_taken():
    """cpack keeps older ones, and a pattern names them all."""
    with tempfile.TemporaryDirectory() as folder:
        for arguments in ([], ["old.deb", "new.deb"]):
            done = subprocess.run([ROOT / "deploy/container/build", *arguments], capture_output=True, text=True, cwd=folder,
                                  timeout=60)
            assert done.returncode == 2 and f"got {len(arguments)}" in done.stderr, (arguments, done)
        assert not os.listdir(folder)


main([what_is_built_here_stays_here, what_the_containerfile_names_is_there, both_ways_make_the_same_image,
      of_two_packages_none_is_taken])
