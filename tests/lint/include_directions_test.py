#!/usr/bin/env python3
"""Plants includes, wrong and right, and asks include_directions.py: a lint that accepts all is worse than none."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from include_directions import problems_of  # noqa: E402

WRONG = [
    # However it is written.
    ("checks/walk.cpp", '#include <curl/curl.h>'),
    ("checks/walk.cpp", '# include <curl/curl.h>'),
    ("checks/walk.cpp", '#\tinclude\t<curl/curl.h>'),
    ("checks/walk.cpp", '#include<curl/curl.h>'),
    ("checks/walk.cpp", '#  include "http/http.h"'),
    ("checks/walk.cpp", '#include"http/http.h"'),
    ("checks/walk.cpp", '#include <http/http.h>'),
    ("checks/walk.cpp", '#include "curl/curl.h"'),
    ("checks/walk.cpp", '#include_next <curl/curl.h>'),
    ("checks/walk.cpp", '#import <curl/curl.h>'),
    ("checks/walk.cpp", '#include HEADER'),
    ("checks/walk.cpp", '#include "finding.h"'),
    # Data flows one way.
    ("base/text.cpp", '#include "http/http.h"'),
    ("http/http.cpp", '#include "sources/source.h"'),
    ("http/curl_http.cpp", '#include "config/config.h"'),
    ("config/load.cpp", '#include "sources/etcd/source.h"'),
    ("config/load.cpp", '#include "fleet/snapshot.h"'),
    ("fleet/routes.cpp", '#include "checks/finding.h"'),
    ("fleet/routes.cpp", '#include "sources/kubernetes/parse_routes.h"'),
    ("checks/walk.cpp", '#include "sources/etcd/source.h"'),
    ("checks/walk.cpp", '#include "sources/kubernetes/parse_routes.h"'),
    ("checks/walk.cpp", '#include "sources/tailscale/path_mtu.h"'),
    ("checks/walk.cpp", '#include "exposition/metric_set.h"'),
    ("checks/walk.cpp", '#include "web/pages.h"'),
    ("exposition/mesh_metrics.cpp", '#include "sources/tailscale/source.h"'),
    ("exposition/render.cpp", '#include "web/pages.h"'),
    ("web/pages.cpp", '#include "sources/etcd/source.h"'),
    ("web/pages.cpp", '#include "app/engine.h"'),
    ("main.cpp", '#include "web/server.h"'),
    # Inside the sources.
    ("sources/etcd/parse.cpp", '#include "http/http.h"'),
    ("sources/etcd/parse.h", '#include "sources/etcd/source.h"'),
    ("sources/kubernetes/parse_routes.cpp", '#include "http/http.h"'),
    ("sources/kubernetes/parse_routes.cpp", '#include "sources/kubernetes/lists.h"'),
    ("sources/etcd/metrics.cpp", '#include "http/http.h"'),
    ("sources/etcd/metrics.cpp", '#include "sources/etcd/parse.h"'),
    ("sources/traefik/recording.cpp", '#include "http/http.h"'),
    ("sources/etcd/state.h", '#include "http/http.h"'),
    ("sources/etcd/state.h", '#include "sources/etcd/config.h"'),
    ("sources/etcd/source.cpp", '#include "sources/linstor/state.h"'),
    ("sources/etcd/source.cpp", '#include "fleet/snapshot.h"'),
    ("sources/etcd/source.h", '#include "exposition/describe.h"'),
    # One owner for each third-party header, and none that is not listed.
    ("http/curl_http.cpp", '#include <curl/curl.h>'),
    ("http/dns_lookup.cpp", '#include <curl/curl.h>'),
    ("http/http.cpp", '#include "http/curl_raii.h"'),
    ("http/curl_http.cpp", '#include <ares.h>'),
    ("sources/etcd/parse.cpp", '#include <nlohmann/json.hpp>'),
    ("base/text.h", '#include <nlohmann/json_fwd.hpp>'),
    ("base/json.cpp", '#include <nlohmann/detail/input/parser.hpp>'),
    ("config/load.cpp", '#include <yaml-cpp/parser.h>'),
    ("config/yaml_tree.cpp", '#include <yaml-cpp/yaml.h>'),  # its nodes keep duplicate keys silently
    ("app/serve.cpp", '#include <spdlog/spdlog.h>'),
    ("web/civet_server.cpp", '#include <CivetServer.h>'),
    ("web/pages.cpp", '#include <CivetServer.h>'),
    ("web/pages.cpp", '#include <civetweb.h>'),
    ("exposition/metric_set.h", '#include <prometheus/metric_family.h>'),
    ("exposition/render.cpp", '#include <prometheus/exposer.h>'),
    ("app/command.cpp", '#include <CLI/CLI.hpp>'),
    ("web/response.cpp", '#include <zlib.h>'),
    ("web/pages.cpp", '#include <crypt.h>'),
    ("web/access.cpp", '#include <openssl/ssl.h>'),
    ("sources/kubernetes/ca_bundle.cpp", '#include <openssl/ssl.h>'),
    ("http/curl_http.cpp", '#include <openssl/x509.h>'),
    ("base/text.cpp", '#include <boost/algorithm/string.hpp>'),
    ("base/text.cpp", '#include <catch2/catch.hpp>'),
    ("base/text.cpp", '#include <format.h>'),
    ("base/time.cpp", '#include <systemd/sd-daemon.h>'),
]
RIGHT = [
    ("base/text.cpp", '#include <string>'),
    ("base/text.cpp", '#include <fmt/format.h>'),
    ("base/json.cpp", '#  include <nlohmann/json.hpp>'),
    ("base/text.cpp", '// #include <curl/curl.h>'),
    ("http/curl_raii.h", '#include <curl/curl.h>'),
    ("http/curl_transfer.cpp", '#include "http/curl_raii.h"'),
    ("http/recording.cpp", '#include "sources/sources.def"'),
    ("checks/walk.cpp", '#include "sources/kubernetes/state.h"'),
    ("checks/walk.cpp", '#include "fleet/snapshot.h"'),
    ("sources/etcd/source.cpp", '#include "http/http.h"'),
    ("sources/etcd/source.h", '#include "exposition/metric_set.h"'),
    ("sources/etcd/metrics.cpp", '#include "sources/etcd/source.h"'),
    ("sources/kubernetes/parse_routes.cpp", '#include "sources/kubernetes/parse_common.h"'),
    ("exposition/describe.cpp", '#include "sources/etcd/source.h"'),
    ("web/tls.cpp", '#include <openssl/ssl.h>'),
    ("web/civet_server.cpp", '#include <civetweb.h>'),
    ("app/engine.cpp", '#include "sources/etcd/source.h"'),
    ("main.cpp", '#include "app/command.h"'),
]


def main():
    failed = [f"accepted: {line} in {name}" for name, line in WRONG if not list(problems_of(name, line))]
    failed += [f"refused: {line} in {name}: {problem}" for name, line in RIGHT for _, problem in problems_of(name, line)]
    for line in failed:
        print(line)
    print(f"{len(WRONG)} wrong and {len(RIGHT)} right includes, {len(failed)} judged wrongly")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
