"""deploy/tls: what its README tells works, with real stunnel, nginx, htpasswd and Prometheus.  tls_test.py BINARY

Commands and files are taken from there; only paths, ports and the host's name are others.
"""
import base64
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "end_to_end"))
from exporter import Exporter, main, run, wait_for  # noqa: E402

BINARY = sys.argv[1]
HERE = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "tls"
README = (HERE / "README.md").read_text()
CREDENTIALS = "/run/credentials/shortcircuit-exporter.service/"
FOLDER = tempfile.TemporaryDirectory()
PLACE = pathlib.Path(FOLDER.name)
NGINX = """
daemon off; worker_processes 1; pid {0}/nginx.pid; error_log {0}/nginx.log;
events {{}}
http {{
  access_log off; client_body_temp_path {0}/a; proxy_temp_path {0}/b; fastcgi_temp_path {0}/c; uwsgi_temp_path {0}/d;
  scgi_temp_path {0}/e;
  include {0}/nginx-site.conf;
}}
"""


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


def block(language, word):
    [found] = [each for each in blocks(language) if word in each]
    return found


def replaced(text, replacements):
    for old, new in replacements.items():
        assert old in text, (old, text)
        text = text.replace(old, str(new))
    return text


def shell(script):
    done = subprocess.run(["sh", "-euc", script], cwd=PLACE, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (script, done.stdout, done.stderr)
    return done.stdout


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def check_of(web):
    (PLACE / "probes.yaml").write_text("probes: []\n")
    return run(BINARY, "--config.check", "--config", str(PLACE / "probes.yaml"), "--web.config.file", str(web))


def guarded():
    return Exporter(BINARY, "--config", str(PLACE / "probes.yaml"), "--web.config.file", str(PLACE / "web.yml"))


def basic(password):
    return {"Authorization": "Basic " + base64.b64encode(f"prometheus:{password}".encode()).decode()}


def password():
    return (PLACE / "scrape.password").read_text().strip()


def status(url, headers):
    """(status, headers) over TLS that trusts the README's certificate and nothing else."""
    context = ssl.create_default_context(cafile=PLACE / "tls.crt")
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60, context=context) as answer:
            return answer.status, answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.headers


@contextlib.contextmanager
def running(*command):
    with open(PLACE / "log", "w") as log:
        process = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def listening(process, port):
    def connected():
        assert process.poll() is None, (PLACE / "log").read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
            return True
    wait_for(f"a listener on {port}", connected)


def the_format_that_is_shown_is_taken():
    shown = PLACE / "shown.yml"
    shown.write_text(block("yaml", "basic_auth_users"))
    code, out, err = check_of(shown)
    assert code == 0, out + err
    # What the words below it add is taken too, or refused, as they say.
    text = shown.read_text()
    more = "  headers:\n    X-XSS-Protection: '0'\n    Content-Security-Policy: default-src 'none'\n"
    shown.write_text(replaced(text, {"  headers: ": more + "  # "}))
    assert check_of(shown)[0] == 0
    # Every key of the table has a place in the format.
    for key in ("client_auth_type", "client_ca_file", "client_allowed_sans", "min_version", "max_version", "cipher_suites",
                "prefer_server_cipher_suites", "curve_preferences"):
        shown.write_text(replaced(text, {"  key_file: tls.key\n": f"  key_file: tls.key\n  {key}x: x\n"}))
        code, out, err = check_of(shown)
        assert code == 2 and f"did you mean {key}?" in err and "$2y$" not in err, err
        assert f"`{key}`" in README, key


def hashes_are_made_as_told():
    told = block("sh", "htpasswd").splitlines()
    assert told[0] == "apt-get install apache2-utils" and told[1] == "htpasswd -nBC 10 ada", told
    printed = shell("\n".join(told[2:])).strip()
    assert re.fullmatch(r"prometheus:\$2y\$10\$\S{53}", printed), printed
    (PLACE / "web.yml").write_text("basic_auth_users:\n  " + printed.replace(":", ": ") + "\n")
    code, out, err = check_of(PLACE / "web.yml")
    assert code == 0, out + err


def https_as_told():
    """The exporter itself, with the line that is added to web.yml, and that goes again for a proxy."""
    web = PLACE / "web.yml"
    plain = web.read_text()
    adding = block("sh", "LoadCredential=").splitlines()[0]
    shell(adding)
    told = web.read_text()
    shell(adding)
    assert told != plain and web.read_text() == told
    with guarded() as exporter:
        port = int(exporter.address.rsplit(":", 1)[1])
        url = f"https://localhost:{port}/-/ready"
        wait_for("the first snapshot", lambda: status(url, basic(password()))[0] == 200)
        assert status(url, {})[0] == 401 and status(url, basic("guessed"))[0] == 401
        scraped(port)
    removing = replaced(block("sh", "sed -i").splitlines()[0], {"/etc/shortcircuit-exporter": PLACE})
    shell(removing)
    assert web.read_text() == plain
    shown = block("yaml", "tls_server_config")  # over several lines
    web.write_text(shown)
    shell(removing)
    left = web.read_text()
    assert left == shown[shown.index("basic_auth_users"):], left
    web.write_text(plain)


def every_path_asks():
    with guarded() as exporter:
        for path in ("/", "/metrics", "/-/healthy", "/-/ready", "/config", "/api/findings", "/no-such-page"):
            assert exporter.request(path)[0] == 401, path
            assert exporter.request(path, headers=basic("guessed"))[0] == 401, path
        wait_for("the first snapshot", lambda: exporter.request("/-/ready", headers=basic(password()))[0] == 200)
        for path in ("/", "/metrics", "/-/healthy"):
            assert exporter.request(path, headers=basic(password()))[0] == 200, path


def a_mistake_closes_and_says_so():
    good = (PLACE / "web.yml").read_text()
    with guarded() as exporter:
        (PLACE / "web.yml").write_text("basic_auth_users: {prometheus: plain}\n")
        assert exporter.request("/-/healthy", headers=basic(password()))[0] == 500
        assert exporter.request("/-/healthy", headers=basic("plain"))[0] == 500
        (PLACE / "web.yml").write_text(good)
        assert exporter.request("/-/healthy", headers=basic(password()))[0] == 200
    assert len([line for line in exporter.log if "access is closed" in line]) == 1, exporter.log
    code, _, err = run(BINARY, "serve", "--config", str(PLACE / "probes.yaml"), "--web.config.file",
                       str(PLACE / "no-such-file"), "--web.listen-address", "127.0.0.1:0")
    assert code == 2 and "no-such-file" in err, err


def the_certificate_is_made_as_told():
    shell(replaced(block("sh", "openssl req"), {"$(hostname)": "localhost", "/etc/shortcircuit-exporter": PLACE}))
    assert (PLACE / "tls.key").stat().st_mode & 0o077 == 0


def proxied(name, command, conf, replacements):
    """The exporter behind this proxy: who has no password gets nothing, and Prometheus scrapes as told."""
    with guarded() as exporter:
        port = free_port()
        text = (HERE / conf).read_text()
        text = replaced(text, {**replacements(port), "127.0.0.1:10067": exporter.address,
                               "/etc/shortcircuit-exporter": PLACE})
        (PLACE / f"{name}-site.conf").write_text(text)
        with running(*command) as process:
            listening(process, port)
            url = f"https://localhost:{port}/-/ready"
            wait_for("the first snapshot", lambda: status(url, basic(password()))[0] == 200)
            assert status(url, {})[0] == 401 and status(url, basic("guessed"))[0] == 401
            assert status(url, {})[1]["WWW-Authenticate"].startswith("Basic")
            scraped(port)


def scraped(port):
    configuration = replaced(block("yaml", "scrape_configs"), {
        "/etc/prometheus/shortcircuit.crt": PLACE / "tls.crt", "node-a:10067": f"localhost:{port}",
        "/etc/prometheus/shortcircuit.password": PLACE / "scrape.password"})
    (PLACE / "prometheus.yml").write_text("global: {scrape_interval: 1s}\n" + configuration)
    own = free_port()
    query = f"http://127.0.0.1:{own}/api/v1/query?" + urllib.parse.urlencode(
        {"query": 'up{job="shortcircuit"} == 1 and on (instance) shortcircuit_build_info'})

    def up():
        with contextlib.suppress(OSError), urllib.request.urlopen(query, timeout=10) as answer:
            return json.load(answer)["data"]["result"]
    with running("prometheus", f"--config.file={PLACE}/prometheus.yml", f"--web.listen-address=127.0.0.1:{own}",
                 f"--storage.tsdb.path={PLACE}/{own}"):
        wait_for("a scrape by Prometheus", up)


def stunnel_in_front():
    own_user = {} if os.geteuid() == 0 else {"setuid = stunnel4\nsetgid = stunnel4\n": ""}
    proxied("stunnel", ["stunnel4", PLACE / "stunnel-site.conf"], "stunnel.conf",
            lambda port: {":::10443": f"127.0.0.1:{port}", **own_user})


def nginx_in_front():
    (PLACE / "nginx.conf").write_text(NGINX.format(PLACE))
    proxied("nginx", [shutil.which("nginx") or "/usr/sbin/nginx", "-c", PLACE / "nginx.conf"], "nginx.conf",
            lambda port: {"listen [::]:10443 ssl;": "", "listen 10443": f"listen 127.0.0.1:{port}"})


def the_unit_reads_the_file_that_it_is_given():
    """The lines of the drop-ins name one file, and what that names lies beside it; the unit takes their flags, beside
    those of the administrator."""
    script = block("sh", "LoadCredential=")
    handed = dict(re.findall(r"LoadCredential=(\S+?):(\S+)", script))
    assert list(handed) == ["web.yml", "tls.crt", "tls.key"] and "{cert_file: tls.crt, key_file: tls.key}" in script, handed
    assert f"install -m 600 web.yml {handed['web.yml']}\n" in script
    made = block("sh", "openssl req")
    assert handed["tls.crt"] in made and handed["tls.key"] in made
    files = []
    for text, wanted in ((script, []), (block("sh", "sed -i"), ["--web.listen-address", "127.0.0.1:10067"])):
        arguments = re.search(r'Environment="WEB_ARGS=(.*)"', text).group(1).split()
        assert arguments == [*wanted, "--web.config.file", CREDENTIALS + "web.yml"], arguments
        files += re.findall(r"cat > (\S+\.service\.d/\S+) ", text)
    assert files == sorted(files) and len(set(files)) == 2, files  # systemd reads them in this order, the last one counts
    unit = (HERE.parent / "systemd/shortcircuit-exporter.service").read_text()
    assert unit.count(" $ARGS $WEB_ARGS") == unit.count("/usr/bin/shortcircuit-exporter ") == 3
    assert "> /etc/default" not in "".join(blocks("sh"))


def files_that_are_named_exist():
    for path in re.findall(r"\bdeploy/tls/\S+", "".join(blocks("sh"))):
        assert (HERE.parents[1] / path).exists(), path
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (HERE / target).exists(), target
    assert yaml.safe_load((HERE.parent / "kubernetes/components/users/kustomization.yaml").read_text())


missing = [each for each in ("stunnel4", "htpasswd", "openssl", "prometheus") if not shutil.which(each)]
if not (shutil.which("nginx") or pathlib.Path("/usr/sbin/nginx").exists()):
    missing.append("nginx")
if missing:
    print("not here:", ", ".join(missing), "(deploy/install-packages test)")
    sys.exit(1 if os.environ.get("CI") else 77)
main([the_certificate_is_made_as_told, the_format_that_is_shown_is_taken, hashes_are_made_as_told, every_path_asks,
      a_mistake_closes_and_says_so, https_as_told, stunnel_in_front, nginx_in_front,
      the_unit_reads_the_file_that_it_is_given, files_that_are_named_exist])
