"""Seeds and a dictionary for every fuzz target, made from tests/recordings.

Answers are cut to the first objects of each list: small inputs are tried more often. The first byte
of a seed chooses the reader, in the order of the target's table.
"""
import hashlib
import json
import pathlib
import re

RECORDINGS = pathlib.Path(__file__).resolve().parents[1] / "recordings"
KEPT_OBJECTS = 3
# In the order of kubernetes::Lists::all().
KUBERNETES = """version nodes services endpointslices endpoints ingresses ingressclasses middlewares
middlewares-containous middlewaretcps middlewaretcps-containous ingressroutes
ingressroutes-containous ingressroutetcps ingressroutetcps-containous ingressrouteudps
ingressrouteudps-containous traefikservices traefikservices-containous
validatingwebhookconfigurations mutatingwebhookconfigurations daemonsets deployments statefulsets
cronjobs pods pods-operator pods-ingress persistentvolumeclaims storageclasses configmaps""".split()
READERS = {
    "kubernetes": KUBERNETES,
    "traefik": ["version", "overview", "entrypoints", "http-routers", "http-services", "http-middlewares"],
    "headscale": ["node", "routes", "apikey", "preauthkey", "health"],
    "linstor": ["controller-version", "nodes", "view-resources", "view-storage-pools", "resource-definitions",
                "resource-groups", "node-connections", "error-reports"],
    "etcd": ["metrics", "health", "version", "status", "members", "alarms"],
    "tailscale": ["status", "prefs", "usermetrics", "ping"],
}
RULES = ["Host(`a.example`)", "Host(`a`, `b`) && PathPrefix(`/x`)", "HostRegexp(`^[a-z]+\\.b$`) || Path(`/`)",
         "!(Host(`a`)) && (Method(`GET`) || Header(`X`, `y`))", "HostSNI(`*`)", 'Host("a") && ClientIP(`10.0.0.0/8`)']
REQUESTS = ["GET\n/metrics\n\ngzip\n", "HEAD\n/\na=b\nidentity;q=0, *;q=1\nBasic YTpi", "POST\n/-/reload\n\n\n",
            "GET\n/api/findings\n\ngzip;q=0\n", "GET\n/-/ready\n\n\n", "GET\n/config\n\n\n"]


def answers(source):
    """(target, answer, text) of every recorded answer of a source, without repetition."""
    seen = set()
    for path in sorted(RECORDINGS.rglob(f"{source}/**/*")):
        if "raw" in path.parts or path.suffix not in (".json", ".txt") or not path.is_file():
            continue
        parts = path.parts[len(path.parts) - 1 - path.parts[::-1].index(source) + 1:]
        text = shorter(path)
        key = hashlib.sha1(text.encode() + path.stem.encode()).digest()
        if key not in seen and len(text) < 30_000:
            seen.add(key)
            yield parts[0] if len(parts) > 1 else "", path.stem, text


def shorter(path):
    text = path.read_text(errors="replace")
    if path.suffix != ".json":
        return "\n".join(text.splitlines()[:60]) + "\n"
    try:
        return json.dumps(cut(json.loads(text)), separators=(",", ":"), ensure_ascii=False)
    except ValueError:
        return text


def cut(value):
    if isinstance(value, list):
        return [cut(each) for each in value[:KEPT_OBJECTS]]
    if isinstance(value, dict):
        kept = {key: cut(each) for key, each in value.items()}
        # A map of objects by key, such as tailscaled's peers, is a list too.
        if len(kept) > 6 and all(isinstance(each, dict) for each in kept.values()):
            kept = dict(list(kept.items())[:KEPT_OBJECTS])
        return kept
    return value


def seeds(target):
    if target in READERS:
        names = READERS[target]
        for _, answer, text in answers(target):
            name = "ping" if answer.startswith("ping-") else answer
            if name in names:
                yield bytes([names.index(name)]) + text.encode()
    elif target == "configuration":
        for path in sorted(RECORDINGS.glob("*/shortcircuit.yaml")):
            yield path.read_bytes()
        for path in sorted(RECORDINGS.parents[1].glob("deploy/**/*.yaml")):
            if "shortcircuit" in path.name and path.stat().st_size < 20_000:
                yield path.read_bytes()
    elif target == "router_rule":
        yield from (rule.encode() for rule in RULES)
        for _, answer, text in answers("traefik"):
            if answer == "http-routers":
                yield from (router["rule"].encode() for router in json.loads(text))
    elif target == "text_exposition":
        for source in ("etcd", "tailscale"):
            for _, answer, text in answers(source):
                if answer in ("metrics", "usermetrics"):
                    yield text[:2000].encode()
        yield b'a{b="c\\n\\"\\\\",d="e"} +Inf 1\n# HELP a b\n# TYPE a gauge\nb NaN\nc 1e-300\n'
    elif target == "web_request":
        yield from (request.encode() for request in REQUESTS)
    elif target == "recording":
        yield b'@@ kubernetes/nodes.json\n{"items":[]}\n@@ recorded_at\n2026-11-24T20:00:00Z\n'
        yield (b"@@ 1/etcd/a/metrics.txt\nx 1\n@@ 1/recorded_at\n2026-11-24T20:00:00Z\n@@ 2/etcd/a/metrics.status\n503\n"
               b"@@ 2/tailscale/a/ping-b-1000-try1.json\n{}\n@@ 2/tailscale/a/ping-b-1000-try2.status\ntimeout\n@@ shortcircuit.yaml\n\n")
    elif target == "fleet":
        yield from fleets()


def fleets():
    """Whole small fleets: the last step of each recording, two targets of a kind as `a` and `b`."""
    for folder in sorted(RECORDINGS.iterdir()):
        if not (folder / "shortcircuit.yaml").exists():
            continue
        targets = {"etcd": [], "tailscale": []}
        text = ""
        for path in sorted(folder.rglob("*")):
            parts = path.relative_to(folder).parts
            source = next((part for part in parts[:2] if part in READERS), None)
            if source is None or path.suffix not in (".json", ".txt"):
                continue
            name = source
            if source in targets:
                known = targets[source]
                if parts[-2] not in known:
                    known.append(parts[-2])
                if known.index(parts[-2]) > 1:
                    continue
                name += "/" + "ab"[known.index(parts[-2])]
            text += f"@@ {name} {path.stem}\n{shorter(path)}\n"
        if len(text) < 100_000:
            yield text.encode()


def words(target):
    """Keys and short texts that the seeds hold, and the syntax between them."""
    found = set()
    for seed in seeds(target):
        text = seed.decode(errors="replace")
        found.update(re.findall(r'"[A-Za-z0-9_./:-]{2,40}"', text))
        if target in ("configuration", "recording"):
            found.update(re.findall(r"[a-z_]{3,40}:?", text))
    syntax = {
        "router_rule": ["Host(`", "HostRegexp(`", "PathPrefix(`", "Path(`", "`)", " && ", " || ", "!", "Header(`", "ClientIP(`"],
        "text_exposition": ["# HELP ", "# TYPE ", " gauge\n", '{le="', "+Inf", "NaN", "\\n", '\\"', "e-30"],
        "web_request": ["gzip", ";q=0", "/metrics", "/-/reload", "Basic "],
        "recording": ["\n@@ ", "-try1", ".status", ".json", ".txt", "recorded_at", "timeout", "kubernetes/", "etcd/a/"],
        "fleet": ["\n@@ ", "null", "true", "{}", "[]"],
    }.get(target, ["null", "true", "{}", "[]", "9223372036854775807", "-1", "1e999"])
    return sorted(found)[:3000] + syntax


def write(target, folder):
    """Fills `folder` with seeds; gives the path of the dictionary beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds(target):
        (folder / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
    dictionary = folder.with_suffix(".dict")
    lines = []
    for word in words(target):
        escaped = "".join(c if c.isalnum() or c in " _-./:" else "".join(f"\\x{b:02X}" for b in c.encode()) for c in word)
        lines.append(f'"{escaped}"')
    dictionary.write_text("\n".join(dict.fromkeys(lines)) + "\n")
    return dictionary
