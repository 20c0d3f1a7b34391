"""What is in the Debian package.  package_files_test.py BINARY CPACK CMAKE BUILD_FOLDER

That it installs, runs, upgrades and leaves nothing behind is tested by tests/deploy/run.
"""
import glob
import gzip
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "end_to_end"))
from exporter import main, run  # noqa: E402

BINARY, CPACK, CMAKE, BUILD = sys.argv[1:]
ROOT = pathlib.Path(__file__).parents[2]
NAME = "shortcircuit-exporter"
FOLDER = tempfile.TemporaryDirectory()
TREE = pathlib.Path(FOLDER.name) / "tree"
DOCUMENTS = TREE / f"usr/share/doc/{NAME}"


def output(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def options():
    """Of the program itself, not of a document."""
    code, out, _ = run(BINARY, "--help")
    found = re.findall(r"(?m)^  (--[a-z.-]+)", out)
    assert code == 0 and len(found) > 10 and "--help" in found, out
    return found


def commands():
    found = re.findall(r"(?m)^  ([a-z]+) ", run(BINARY, "--help")[1])
    assert "serve" in found and "capture" in found, found
    return found


def complete(*words):
    """What bash offers after these words."""
    script = (f'source "{TREE}/usr/share/bash-completion/completions/{NAME}"\n'
              'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))\ncompopt() { :; }\n'
              '_shortcircuit_exporter\nprintf "%s\\n" "${COMPREPLY[@]}"')
    return output("bash", "-c", script, "bash", NAME, *words).split()


def the_package_is_made():
    output(CPACK, "--config", f"{BUILD}/CPackConfig.cmake", "-B", FOLDER.name)
    [package] = glob.glob(f"{FOLDER.name}/{NAME}_*.deb")
    output("dpkg-deb", "-R", package, str(TREE))


def whoever_owns_the_checkout_its_revision_is_known():
    """Cloned as a user, built as root after `su -`: git calls that dubious."""
    if not (ROOT / ".git").exists():
        return  # no clone: the revision is unknown
    revision = output("git", "-c", f"safe.directory={ROOT.resolve()}", "-C", ROOT, "rev-parse", "--short=12", "HEAD").strip()
    folder = pathlib.Path(FOLDER.name) / "of_another_owner"
    # A git that was told to trust every folder would say nothing.
    environment = {**os.environ, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    refused = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], capture_output=True, text=True, env=environment)
    assert "dubious ownership" in refused.stderr, refused.stderr  # otherwise the rest says nothing
    done = subprocess.run([CMAKE, "-S", ROOT, "-B", folder, "-G", "Ninja", "-DSHORTCIRCUIT_TESTS=OFF"],
                          capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f'SHORTCIRCUIT_REVISION=\\"{revision}\\"' in (folder / "build.ninja").read_text()
    assert " 1970 " not in (folder / "package_files/changelog").read_text()


def every_file_is_in_its_place():
    for path, mode in {
            f"usr/bin/{NAME}": 0o755,
            f"usr/lib/systemd/system/{NAME}.service": 0o644,
            f"etc/{NAME}/shortcircuit.yaml": 0o644,
            f"etc/default/{NAME}": 0o644,
            f"usr/share/{NAME}/prometheus/shortcircuit.rules.yml": 0o644,
            f"usr/share/man/man1/{NAME}.1.gz": 0o644,
            f"usr/share/bash-completion/completions/{NAME}": 0o644,
            f"usr/share/doc/{NAME}/copyright": 0o644,
            f"usr/share/doc/{NAME}/changelog.gz": 0o644,
            f"usr/share/doc/{NAME}/rules/runbooks/shortcircuitexporterdown.md": 0o644,
            f"usr/share/doc/{NAME}/rules/generate": 0o755,
            f"usr/share/doc/{NAME}/deploy/tls/README.md": 0o644,
            f"usr/share/doc/{NAME}/deploy/systemd/{NAME}.socket": 0o644,
            f"usr/share/doc/{NAME}/deploy/kubernetes/examples/k3s/traefik-api.yaml": 0o644,
            f"usr/share/doc/{NAME}/deploy/kubernetes/examples/k3s/traefik-values.yaml": 0o644,
            "DEBIAN/postinst": 0o755, "DEBIAN/prerm": 0o755, "DEBIAN/postrm": 0o755}.items():
        file = TREE / path
        assert file.is_file(), path
        assert file.stat().st_mode & 0o777 == mode, (path, oct(file.stat().st_mode))
        assert file.stat().st_size > 0, path
    dashboards = {path.name for path in (ROOT / "dashboards").glob("*.json")}
    assert dashboards == {path.name for path in (TREE / f"usr/share/{NAME}/dashboards").iterdir()} != set()
    assert not (TREE / "usr/local").exists()


def every_link_of_every_document_leads_to_an_installed_file():
    links = 0
    for document in DOCUMENTS.rglob("*.md"):
        for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
            path = target.partition("#")[0]
            if not path or re.match(r"[a-z]+:", path):
                continue
            file = (document.parent / path).resolve()
            assert file.exists() and file.is_relative_to(DOCUMENTS.resolve()), (document.relative_to(TREE), target)
            links += 1
    assert links > 100, links


def what_the_documents_and_the_program_name_is_there():
    """Files that a reader is told to copy, by a command or by a sentence of the program."""
    named = set()
    for document in ("rules/README.md", "deploy/tls/README.md"):
        for block in re.findall(r"```sh\n(.*?)```", (DOCUMENTS / document).read_text(), re.S):
            named |= set(re.findall(r"(?<![\w/.])(?:deploy|rules)/[\w./-]+", block))
    named |= set(re.findall(r"deploy/[\w./]+\.md", run(BINARY, "--help")[1]))
    assert {"deploy/tls/README.md", "deploy/tls/nginx.conf", "deploy/prometheus/prometheus.yml", "rules/generate"} <= named
    for path in named:
        assert (DOCUMENTS / path).is_file(), path


def rules_with_the_readers_addresses_come_from_the_package():
    told = (DOCUMENTS / "deploy/debian/README.md").read_text().replace("\\\n", "")
    command, arguments = re.search(r"(?m)^/(usr/share/doc/\S+/generate) (.*) --output ", told).groups()
    output(sys.executable, TREE / command, *arguments.split(), "--output", f"{FOLDER.name}/rules")
    made = pathlib.Path(FOLDER.name, "rules/shortcircuit.rules.yml").read_text()
    delivered = (TREE / f"usr/share/{NAME}/prometheus/shortcircuit.rules.yml").read_text()
    address = re.search(r"--runbooks (\S+)", arguments).group(1)
    assert made.count(f"runbook_url: {address}/") == delivered.count("runbook_url: ") > 30
    assert "localhost:3000" in delivered and "localhost:3000" not in made


def what_is_in_etc_is_kept_on_upgrades():
    marked = (TREE / "DEBIAN/conffiles").read_text().split()
    there = ["/" + str(path.relative_to(TREE)) for path in (TREE / "etc").rglob("*") if path.is_file()]
    assert sorted(marked) == sorted(there), (marked, there)


def the_libraries_are_in_depends():
    control = (TREE / "DEBIAN/control").read_text()
    depends = re.search(r"(?m)^Depends: (.*)$", control).group(1)
    for library in ("libc6", "libcurl4", "libstdc++6", "libyaml-cpp", "libprometheus-cpp-core"):
        assert library in depends, depends
    assert "cannot find" not in depends


def the_manual_page_and_the_completion_know_every_option_and_command():
    page = gzip.open(TREE / f"usr/share/man/man1/{NAME}.1.gz", "rt").read().replace("\\-", "-")
    offered = complete("")
    for word in options() + commands():
        assert re.search(rf"(?m)^\.B {re.escape(word)}( |$)", page), word
        assert word in offered, (word, offered)
    assert set(offered) == set(options() + commands()), offered


def the_completion_offers_values():
    assert complete("check", "--output", "") == ["table", "json"]
    assert complete("--log.level", "w") == ["warn"]
    assert complete("--log.format", "") == ["logfmt", "json"]
    assert complete("check", "--config.") == ["--config.check"]
    assert "CMakeLists.txt" in "".join(complete("--config", f"{ROOT}/CMakeLists"))
    assert complete("check", "--replay", f"{ROOT}/tests/recordings/nigh") == [f"{ROOT}/tests/recordings/night"]
    assert complete("--web.telemetry-path", "") == []


def the_manual_page_is_well_formed():
    if not shutil.which("mandoc"):
        return
    page = f"{TREE}/usr/share/man/man1/{NAME}.1.gz"
    # Generated sentences are as long as they are; there is no date, so that two builds are equal.
    done = subprocess.run(["mandoc", "-T", "lint", page], capture_output=True, text=True, timeout=60)
    problems = [line for line in done.stdout.splitlines()
                if "longer than 80 bytes" not in line and "missing date" not in line]
    assert not problems, problems


main([the_package_is_made, whoever_owns_the_checkout_its_revision_is_known, every_file_is_in_its_place,
      every_link_of_every_document_leads_to_an_installed_file,
      what_the_documents_and_the_program_name_is_there, rules_with_the_readers_addresses_come_from_the_package,
      what_is_in_etc_is_kept_on_upgrades,
      the_libraries_are_in_depends, the_manual_page_and_the_completion_know_every_option_and_command,
      the_completion_offers_values, the_manual_page_is_well_formed])
