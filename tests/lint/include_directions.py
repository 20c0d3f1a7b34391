#!/usr/bin/env python3
"""Holds the architecture: who may include whom, and one owner for each third-party header.

Debian puts every header into /usr/include, so the linker cannot stop a wrong include; this does.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2] / "exporter"

# A folder may include itself and what is listed. Data flows one way: from the left of
# base → http → sources → config → fleet → checks → exposition → web → app.
ALLOWED = {
    "base": [],
    "http": ["base/"],
    "sources": ["base/", "http/"],
    "config": ["base/", "http/", r"sources/(\w+/config|common_config)\.h", r"sources/sources\.def"],
    "fleet": ["base/", "config/", r"sources/\w+/state\.h", r"sources/sources\.def"],
    "checks": ["base/", "config/", "fleet/", "sources/"],
    "exposition": ["base/", "config/", "fleet/", "checks/", "sources/"],
    "web": ["base/", "config/", "fleet/", "checks/", "sources/", "exposition/"],
    "app": [""],
}
# Single files may look the other way: file → headers.
EXCEPTIONS = {
    r"http/recording\.cpp": r"sources/sources\.def",
    r"sources/\w+/source\.h": r"(exposition/metric_set|fleet/observed)\.h",
    r"sources/(dns|probes)/source\.cpp": r"fleet/(routes|snapshot)\.h",  # they ask for what the routes name
}
# Third-party header → the files that may see it.
OWNERS = {
    r"curl/": r"http/(curl_\w+|dns_lookup)\.(cpp|h)",
    r"ares": r"http/(dns_lookup|curl_http)\.(cpp|h)",  # curl_http starts and ends both libraries
    r"nlohmann/json_fwd": r"base/json\.h",
    r"nlohmann/json\.hpp": r"base/json\w*\.cpp",
    r"yaml-cpp/": r"config/yaml_tree\.(cpp|h)",
    r"spdlog/": r"base/log\.cpp",
    r"civetweb": r"web/civet_\w+\.cpp",
    r"prometheus/": r"exposition/render\.cpp",
    r"CLI/": r"app/options\.cpp",
    r"zlib\.h": r"exposition/gzip\.cpp",
    r"openssl/": r"sources/kubernetes/\w*certificate\w*\.cpp|sources/kubernetes/ca_bundle\.cpp",
    r"crypt\.h": r"web/\w+\.cpp",
}


def allowed(name, header):
    folder = name.split("/")[0]
    return any(re.match(pattern, header) for pattern in ALLOWED.get(folder, [])) or any(
        re.fullmatch(file, name) and re.fullmatch(headers, header) for file, headers in EXCEPTIONS.items())


def problems():
    for path in sorted(ROOT.rglob("*.[ch]*")):
        name = path.relative_to(ROOT).as_posix()
        folder = name.split("/")[0]
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = re.match(r'\s*#include ["<]([^">]+)[">]', line)
            if not found:
                continue
            header = found.group(1)
            place = f"exporter/{name}:{number}"
            for pattern, owner in OWNERS.items():
                if re.match(pattern, header) and not re.fullmatch(owner, name):
                    yield f"{place}: {header} belongs to {owner} alone"
            if '"' not in line:
                continue
            target = header.split("/")[0]
            if "/" not in header or folder == target or folder == "main.cpp":
                if folder == "sources" and target == "sources" and name.count("/") == 2:
                    other = header.split("/")[1]
                    if header.count("/") == 2 and other != name.split("/")[1]:
                        yield f"{place}: one source must not include another ({header})"
            elif not allowed(name, header):
                yield f"{place}: {folder}/ must not include {header}"
            # State is plain values: it must not know how it is read or published.
            if name.endswith("/state.h") and not header.startswith("base/"):
                yield f"{place}: state.h may use base/ only, not {header}"


def main():
    found = list(problems())
    for problem in found:
        print(problem)
    print(f"{len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
