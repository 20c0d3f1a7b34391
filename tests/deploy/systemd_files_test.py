"""What can be said of deploy/systemd without starting it.  systemd_files_test.py BINARY

That the unit really runs under systemd is tested by tests/deploy/run.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "end_to_end"))
from exporter import Exporter, main, run  # noqa: E402

BINARY = sys.argv[1]
FOLDER = pathlib.Path(__file__).parents[2] / "deploy" / "systemd"
UNIT = FOLDER / "shortcircuit-exporter.service"
SOCKET = FOLDER / "shortcircuit-exporter.socket"
README = (FOLDER / "README.md").read_text()
WORST_SCORE = 2.0


def the_unit_exposes_little():
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", str(UNIT)],
                          capture_output=True, text=True, timeout=60)
    found = re.search(r"Overall exposure level for .*: ([0-9.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found.group(1)) <= WORST_SCORE, found.group(0)


def systemd_knows_every_line_of_the_units():
    with tempfile.TemporaryDirectory() as folder:
        # Programs that this machine has, and no manual page: the rest is judged as it stands.
        text = UNIT.read_text().replace("/usr/bin/shortcircuit-exporter", os.path.abspath(BINARY))
        copy = pathlib.Path(folder) / UNIT.name
        copy.write_text(re.sub(r"(?m)^Documentation=.*\n", "", text))
        socket = shutil.copy(SOCKET, folder)
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(copy), socket],
                              capture_output=True, text=True, timeout=60)
    complaints = [line for line in done.stderr.splitlines() if UNIT.stem in line]
    assert not complaints, complaints


def the_default_configuration_is_good_and_looks_at_nothing():
    path = str(FOLDER / "shortcircuit.yaml")
    code, out, err = run(BINARY, "--config.check", "--config", path)
    assert code == 0, out + err
    code, out, err = run(BINARY, "check", "--config", path)
    assert code == 2 and "nothing is judged" in out and "broken" not in out and "unknown" not in out, out + err
    with Exporter(BINARY, "--config", path) as exporter:
        assert "shortcircuit_build_info" in exporter.ready().text()


def the_examples_in_the_default_configuration_are_good():
    text = (FOLDER / "shortcircuit.yaml").read_text()
    head, rest = text.split("probes: []\n")
    assert "tailscale:" in rest and "kubernetes:" in rest and "probes:" in head
    examples = [line[2:] for line in rest.splitlines()
                if re.match(r"# ( *[a-z_]+:( |$)| +- )", line)]
    examples += [line.strip("# ") for line in head.splitlines() if re.match(r"#   probes:", line)]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "shortcircuit.yaml"
        # The kubeconfig comes with the credentials; without one there is nothing to read it from.
        kubeconfig = pathlib.Path(folder) / "kubeconfig"
        kubeconfig.write_text("clusters: [{name: a, cluster: {server: 'https://192.0.2.1:6443'}}]\n"
                              "users: [{name: a, user: {token: nobody}}]\n"
                              "contexts: [{name: a, context: {cluster: a, user: a}}]\n"
                              "current-context: a\n")
        (pathlib.Path(folder) / "headscale").write_text("key\n")
        path.write_text("\n".join(examples).replace(
            "/run/credentials/shortcircuit-exporter.service", folder) + "\n")
        code, out, err = run(BINARY, "--config.check", "--config", str(path))
        assert code == 0, path.read_text() + out + err


def what_is_installed_by_hand_was_built_above_or_is_in_the_repository():
    block = re.search(r"```sh\n(.*?)```", README, re.S).group(1)
    built = set()
    for line in block.splitlines():
        built |= set(re.findall(r"^cmake --build (\S+) ", line))
        for source in re.findall(r"\binstall -D .* (\S+) /\S+$", line):
            folder, name = os.path.split(source)
            assert (folder in built and name == "shortcircuit-exporter") or (FOLDER.parents[1] / source).exists(), line
    assert built and block.count("install -D ") == 4, block


def the_block_that_installs_keeps_what_is_there():
    """As the upgrade does, in a folder in place of /etc."""
    block = re.search(r"```sh\n(.*?)```", README, re.S).group(1)
    [kept] = re.findall(r"(?ms)^(\[ -e .*?)^systemctl ", block)
    with tempfile.TemporaryDirectory() as folder:
        etc = pathlib.Path(folder)
        files = [etc / "shortcircuit-exporter/shortcircuit.yaml", etc / "default/shortcircuit-exporter"]
        for words in (None, "edited\n"):
            if words:
                for file in files:
                    file.write_text(words)
            subprocess.run(["sh", "-euc", kept.replace("/etc/", f"{folder}/")], check=True, cwd=FOLDER.parents[1])
            for file in files:
                assert (file.read_text() == "edited\n") == bool(words), (file, words)


def the_socket_unit_and_the_flag_come_together_and_go_together():
    on, off = re.findall(r"```sh\n(.*?)```", README.split("## A port that systemd holds")[1].split("\n## ")[0], re.S)
    [drop_in] = re.findall(r"cat > (\S+) ", on)
    [variable] = re.findall(r"Environment=(\w+)=--web.systemd-socket\n", on)
    unit = UNIT.read_text()
    assert unit.count(f" ${variable}\n") == unit.count("/usr/bin/shortcircuit-exporter ") == 3
    assert re.findall(r"(?m)^rm (.*)$", off)[0].split() == [f"/etc/systemd/system/{SOCKET.name}", drop_in]


def a_reload_says_so_when_the_configuration_is_bad():
    """The same words that ExecReload runs."""
    reloads = re.findall(r"(?m)^ExecReload=(.*)$", UNIT.read_text())
    assert len(reloads) == 2 and "kill -HUP" in reloads[0], reloads
    arguments = re.sub(r" \$\w+", "", reloads[1]).split()[1:-1]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "bad.yaml"
        path.write_text("no_such_key: 1\n")
        code, out, err = run(BINARY, *arguments, str(path))
        assert code == 2 and "no_such_key" in out + err, out + err


main([the_unit_exposes_little, systemd_knows_every_line_of_the_units,
      the_default_configuration_is_good_and_looks_at_nothing,
      the_examples_in_the_default_configuration_are_good,
      what_is_installed_by_hand_was_built_above_or_is_in_the_repository,
      the_block_that_installs_keeps_what_is_there, the_socket_unit_and_the_flag_come_together_and_go_together,
      a_reload_says_so_when_the_configuration_is_bad])
