#!/usr/bin/env python3
"""Plants a secret wherever an upstream could show one, then looks for it in everything that leaves
the program: a capture, the log, every page.

usage: secrets_test.py BINARY RECORDINGS
"""
import functools
import json
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from exporter import Exporter, main, run, wait_for  # noqa: E402
from fake_upstreams import Upstreams  # noqa: E402

BINARY, RECORDINGS = sys.argv[1], pathlib.Path(sys.argv[2])
NIGHT = RECORDINGS / "night"
SCRATCH = pathlib.Path(tempfile.mkdtemp(prefix="sc-"))
PLANTED = "pl4nted-s3cret"
planted = set()  # the kinds of places, so that a place that is gone is noticed


def plant(place):
    planted.add(place)
    return f"{PLANTED}-{place}"


def with_userinfo(url, place):
    scheme, _, rest = url.partition("://")
    return f"{scheme}://user:{plant(place)}@{rest.partition('@')[2] or rest}"


def in_kubernetes(value):
    """Annotations, environment, arguments and free text of every object."""
    if isinstance(value, list):
        return [in_kubernetes(item) for item in value]
    if not isinstance(value, dict):
        return value
    value = {key: in_kubernetes(item) for key, item in value.items()}
    if "metadata" in value and isinstance(value["metadata"], dict) and "name" in value["metadata"]:
        annotations = value["metadata"].setdefault("annotations", {}) or {}
        annotations["kubectl.kubernetes.io/last-applied-configuration"] = json.dumps({"password": plant("annotation")})
        annotations["example.org/token"] = plant("annotation")
        value["metadata"]["annotations"] = annotations
        value["metadata"]["managedFields"] = [{"manager": plant("managed-fields")}]
    if "containers" in value:
        for container in value["containers"]:
            container.setdefault("env", []).extend([
                {"name": "PASSWORD", "value": plant("env")},
                {"name": "DATABASE", "value": f"postgres://user:{plant('env-url')}@db:5432/x"},
                {"name": "HTTPS_PROXY", "value": f"http://user:{plant('proxy-userinfo')}@proxy.example.org:3128"}])
            container["args"] = ["--password", plant("argument")]
    if "middlewares" not in value and "headers" in value.get("spec", {}):
        value["spec"]["headers"]["customRequestHeaders"] = {"Authorization": plant("middleware-header")}
    if value.get("kind") == "MiddlewareList":
        address = f"http://user:{plant('forward-userinfo')}@auth.example.org/{plant('forward-path')}?key={plant('forward-query')}"
        value["items"] = [*(value["items"] or []), {"metadata": {"namespace": "web", "name": "ask"}, "spec": {"forwardAuth": {"address": address}}}]
    if isinstance(value.get("match"), str):
        value["match"] += f" && Header(`X-From-Proxy`, `{plant('rule-value')}`)"
    if "clientConfig" in value:
        value["clientConfig"].setdefault("caBundle", "")
    if value.get("kind") == "ConfigMap" or ("data" in value and "metadata" in value and "spec" not in value):
        data = value.get("data") or {}
        for key, text in list(data.items()):
            if key.endswith("PROXY") and "://" in text:
                data[key] = with_userinfo(text, "configmap-userinfo")
        data["password"] = plant("configmap")
        data["connection"] = f"postgres://user:{plant('configmap')}@db/x"
        data["binary.yaml"] = f"token: {plant('configmap')}"
        value["data"] = data
    return value


# Objects whose keys are names, not fields. Of texts: people gave them, they identify things and are kept.
NAMES_OF_TEXTS = ("labels", "matchLabels", "selector", "nodeSelector")
# Of objects or lists: a text among them is an answer of the wrong shape, which nobody reads to its end.
NAMES_OF_OBJECTS = ("Peer", "replication_states", "connections", "serverStatus")


def in_any(value, place):
    """A key that nobody knows, in every object: what is not known is not kept."""
    if isinstance(value, list):
        return [in_any(item, place) for item in value]
    if not isinstance(value, dict):
        return value
    result = {"x_secret": plant(place)}
    for key, item in value.items():
        if key in NAMES_OF_OBJECTS and isinstance(item, dict):
            result[key] = {name: in_any(one, place) for name, one in item.items()}
        else:
            result[key] = item if key in NAMES_OF_TEXTS else in_any(item, place)
    return result


def in_linstor(value):
    if isinstance(value, list):
        return [in_linstor(item) for item in value]
    if not isinstance(value, dict):
        return value
    value = {key: in_linstor(item) for key, item in value.items()}
    if isinstance(value.get("props"), dict):
        value["props"]["DrbdOptions/Net/shared-secret"] = plant("drbd-prop")
        value["props"]["Aux/password"] = plant("linstor-prop")
    if "secret" in value:
        value["secret"] = plant("drbd-secret")
    return value


def in_traefik(value):
    if isinstance(value, list):
        return [in_traefik(item) for item in value]
    if isinstance(value, dict) and "provider" in value and "name" in value:
        value["error"] = [*value.get("error", []), f"error parsing BasicUser: admin:{plant('traefik-basic-user')}",
                          f"parse \"http://user:{plant('traefik-error-url')}@host:8x\": invalid port"]
        if value["provider"] == "kubernetescrd" and "rule" in value:
            value["rule"] += f" && Header(`X-From-Proxy`, `{plant('rule-value')}`)"
    if isinstance(value, dict) and "type" in value and "provider" in value:
        value["basicAuth"] = {"users": [plant("traefik-basic-auth")]}
        value["headers"] = {"customRequestHeaders": {"Authorization": plant("traefik-header")}}
    return value


def in_headscale(value):
    for key in value.get("preAuthKeys", []):
        key["key"] = plant("preauth-key")
    for node in value.get("nodes", []):
        for name in ("machineKey", "nodeKey", "discoKey"):
            node[name] = plant(name)
        if isinstance(node.get("preAuthKey"), dict):
            node["preAuthKey"]["key"] = plant("preauth-key")
    return value


def in_tailscale(value):
    for peer in [value.get("Self") or {}, *(value.get("Peer") or {}).values()]:
        peer["PublicKey"] = "nodekey:" + plant("node-key")
        peer["PeerAPIURL"] = [f"http://user:{plant('peerapi')}@192.0.2.1:1/"]
    if value.get("Peer"):
        value["Peer"] = {f"nodekey:{plant('peer-key')}-{number}": peer for number, peer in enumerate(value["Peer"].values())}
    if "AuthURL" in value:
        value["AuthURL"] = "https://control.example.org/a/" + plant("auth-url")
    if "ControlURL" in value:
        value["Config"] = {"PrivateNodeKey": "privkey:" + plant("private-key")}
        value["OperatorUser"] = plant("operator")
    return value


MUTATE = {"kubernetes": in_kubernetes, "linstor": in_linstor, "traefik": in_traefik, "headscale": in_headscale,
          "tailscale": in_tailscale}


def plant_in(upstream):
    original = upstream.answer
    upstream.planted_answers = 0

    @functools.cache
    def answer(path):
        status, content_type, body = original(path)
        if content_type == "application/json" and status == 200:
            value = MUTATE.get(upstream.name, lambda v: v)(json.loads(body))
            value = in_any(value, upstream.name + "-unknown-key")
            body = json.dumps(value).encode()
        elif upstream.name == "etcd" and status == 200:
            body += f'\n# HELP other {plant("metrics-comment")}\nother_family{{token="{plant("metrics-label")}"}} 1\n'.encode()
        upstream.planted_answers += PLANTED.encode() in body
        return status, content_type, body

    upstream.answer = answer

    def cookie(handler, _path):
        send = handler.end_headers

        def end_headers():
            handler.send_header("Set-Cookie", plant("set-cookie"))
            send()
            handler.end_headers = send
        handler.end_headers = end_headers
        return False

    upstream.behaviour = cookie


def leaks_of(where, text):
    at = text.find(PLANTED)
    return [] if at < 0 else [f"{where}: …{text[max(0, at - 200):at + 60]}…"]


def assert_clean(where, text):
    leaks = leaks_of(where, text)
    assert not leaks, leaks[0]


def configuration(upstreams):
    """As usual, with every secret of the configuration planted too."""
    source = (NIGHT / "shortcircuit.yaml").read_text()
    text = upstreams.configuration(interval="60s", timeout="50s", extra=source[source.index("networks:"):])
    (SCRATCH / "headscale.key").write_text(plant("api-key") + "\n")
    (SCRATCH / "kubernetes.token").write_text(plant("bearer-token") + "\n")
    text = text.replace("traefik: {", f"traefik: {{basic_auth: {{username: reader, password: {plant('basic-auth')}}}, ")
    path = SCRATCH / "config.yaml"
    path.write_text(text)
    return path


def test_nothing_planted_leaves_the_program():
    upstreams = Upstreams(NIGHT, "00-everything-broken", SCRATCH)
    try:
        for upstream in upstreams.all.values():
            plant_in(upstream)
        config = configuration(upstreams)
        written = SCRATCH / "captured"
        code, out, err = run(BINARY, "capture", str(written), "--config", str(config), "--log.level", "debug")
        assert code == 0, (out, err)
        # All of it was there to leak, and was read to its end: no target stopped at an answer of another shape.
        assert out.strip() == f"{written}: 27 targets of 27 answered", (out, err)
        blank = [name for name, upstream in upstreams.all.items() if not upstream.planted_answers]
        assert len(upstreams.all) == 27 and not blank, blank
        assert_clean("capture's output", out + err)
        files = [file for file in written.rglob("*") if file.is_file()]
        assert len(files) > 60, len(files)
        leaks = [leak for file in files for leak in leaks_of(file.relative_to(written), file.read_text(errors="replace"))]
        assert not leaks, "\n".join(leaks)
        with Exporter(BINARY, "--config", str(config), "--log.level", "debug") as live:
            live.ready()
            # Being ready does not wait for ever for the last upstream.
            wait_for("all upstreams", lambda: live.values("shortcircuit_source_up{") == [1] * 27)
            unread = live.values("shortcircuit_source_parts_unread{")
            assert len(unread) == 27 and not any(unread), live.log
            for path in ("/metrics", "/", "/api/findings", "/-/ready", "/config"):
                assert_clean(path, live.request(path)[2].decode())
        assert_clean("log", "\n".join(live.log))
        for arguments in (("check",), ("check", "--output", "json"), ("depends", "10.0.0.0/8")):
            code, out, err = run(BINARY, *arguments, "--config", str(config))
            assert code in (0, 1), (arguments, out, err)
            assert_clean(" ".join(arguments), out + err)
        assert len(planted) >= 25, sorted(planted)
        assert {"configmap-userinfo", "forward-query", "drbd-secret", "drbd-prop", "rule-value", "traefik-basic-user", "node-key", "peer-key",
                "tailscale-unknown-key", "linstor-unknown-key"} <= planted, sorted(planted)
        # The joint of the two: a route finds its router by the text of its rule, also in the recording.
        rules = [(written / kind).read_text() for kind in ("kubernetes/ingressroutes.json", "traefik/http-routers.json")]
        assert all("`X-From-Proxy`, `withheld`" in text for text in rules), rules
    finally:
        upstreams.close()


def test_a_failing_upstream_shows_no_secret_either():
    upstreams = Upstreams(NIGHT, "00-everything-broken", SCRATCH)
    try:
        config = configuration(upstreams)

        def refuse(handler, _path):
            handler.reply(401, "text/html", f"<p>{plant('error-body')} {handler.headers.get('Authorization')}</p>".encode())
            return True
        for upstream in upstreams.all.values():
            upstream.behaviour = refuse
        code, out, err = run(BINARY, "check", "--config", str(config), "--log.level", "debug")
        assert code == 2, (code, out, err)
        assert "401" in out + err, out + err
        assert_clean("check", out + err)
    finally:
        upstreams.close()


if __name__ == "__main__":
    try:
        main([test for name, test in list(globals().items()) if name.startswith("test_")])
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)
