#!/usr/bin/env python3
"""Holds the architecture: who may include whom, and one owner for each third-party header.

Debian puts every header into /usr/include, so the linker cannot stop a wrong include; this does.
include_directions_test.py plants wrong ones.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2] / "exporter"

# A folder may include itself and what is listed. Data flows one way: from the left of
# base → http → sources → config → fleet → checks → exposition → web → app.
# What the build makes of sources.def.
MADE = {"sources/every_config.h", "sources/every_state.h", "sources/every_source.h"}
STATES = r"sources/(\w+/|every_)state\.h"
ALLOWED = {
    "base": [],
    "http": ["base/"],
    "sources": ["base/", "http/"],
    "config": ["base/", "http/", r"sources/(\w+/config|every_config|common_config)\.h", r"sources/sources\.def"],
    "fleet": ["base/", "config/", STATES, r"sources/sources\.def"],
    "checks": ["base/", "fleet/", STATES],
    "exposition": ["base/", "config/", "fleet/", "checks/", STATES, r"sources/sources\.def"],
    "web": ["base/", "config/", "fleet/", "checks/", STATES, r"sources/sources\.def", "exposition/"],
    "app": ["base/", "http/", "sources/", "config/", "fleet/", "checks/", "exposition/", "web/"],
    "main.cpp": ["app/"],
}
# Single files may look the other way: file → headers.
EXCEPTIONS = {
    r"http/recording\.cpp": r"sources/sources\.def",
    r"sources/\w+/source\.h": r"(exposition/metric_set|fleet/observed)\.h",
    r"sources/(dns|probes)/source\.cpp": r"fleet/(routes|snapshot)\.h",  # they ask for what the routes name
    r"exposition/describe\.cpp": r"sources/(\w+/|every_)source\.h",  # calls each source's describe()
}
# What is pure inside a source (`~` is its folder) knows neither requests nor connections: file → all that it may include.
PURE = {
    r"~/state\.(h|cpp)": r"base/.*|~/state\.h",
    r"~/parse\w*\.(h|cpp)": r"base/.*|~/(state|parse\w*|ca_bundle|proxy_setting)\.h",
    r"~/metrics\.cpp": r"base/.*|~/(state|source)\.h|(exposition/metric_set|fleet/observed)\.h",
    r"~/recording\.cpp": r"base/.*|~/(state|source|parse\w*|ca_bundle|proxy_setting)\.h",
}
# LINSTOR says "not logged in" in the body of a 400: its reader sees the whole answer.
NOT_QUITE_PURE = {r"sources/linstor/parse\.h": r"http/http\.h"}
# Third-party header → the files that may see it; the first row that fits counts.
OWNERS = [
    (r"fmt/(format|ranges)\.h", r".*"),  # gcc 12 has no <format>
    (r"curl/curl\.h", r"http/curl_raii\.h|http/curl_errors\.cpp"),  # handles for curl_*.cpp; names of error codes
    (r"ares\.h", r"http/dns_lookup\.cpp"),
    (r"nlohmann/json_fwd\.hpp", r"base/json\.h"),
    (r"nlohmann/json\.hpp", r"base/json\.cpp"),
    (r"yaml-cpp/(eventhandler|exceptions|mark|parser)\.h", r"config/yaml_tree\.cpp"),
    (r"spdlog/(spdlog|sinks/stdout_sinks)\.h", r"base/log\.cpp"),
    (r"civetweb\.h", r"web/civet_server\.cpp"),
    (r"prometheus/(metric_family|text_serializer)\.h", r"exposition/render\.cpp"),
    (r"CLI/CLI\.hpp", r"app/options\.cpp"),
    (r"zlib\.h", r"exposition/gzip\.cpp"),
    (r"openssl/(bio|err|pem|x509)\.h", r"sources/kubernetes/ca_bundle\.cpp|web/tls\.cpp"),  # certificates in answers; our own
    (r"openssl/\w+\.h", r"web/tls\.cpp"),
    (r"crypt\.h", r"web/access\.cpp"),
]
# Headers of ours that show a library: header → the files that may see it.
PRIVATE = {r"http/curl_raii\.h": r"http/curl_\w+\.(h|cpp)"}
STANDARD = set("""
    algorithm any array atomic barrier bit bitset cctype cerrno cfenv cfloat charconv chrono cinttypes climits clocale cmath codecvt
    compare complex concepts condition_variable coroutine csetjmp csignal cstdarg cstddef cstdint cstdio cstdlib cstring ctime cuchar
    cwchar cwctype deque exception execution expected filesystem forward_list fstream functional future initializer_list iomanip ios
    iosfwd iostream istream iterator latch limits list locale map memory memory_resource mutex new numbers numeric optional ostream
    queue random ranges ratio regex scoped_allocator semaphore set shared_mutex source_location span spanstream sstream stack
    stacktrace stdexcept stop_token streambuf string string_view strstream syncstream system_error thread tuple type_traits typeindex
    typeinfo unordered_map unordered_set utility valarray variant vector version""".split())
# POSIX and Linux; malloc.h is glibc's.
SYSTEM = set("""
    arpa/inet.h fcntl.h malloc.h netdb.h netinet/in.h netinet/tcp.h poll.h sys/epoll.h sys/eventfd.h sys/ioctl.h sys/resource.h
    sys/socket.h sys/stat.h sys/time.h sys/uio.h sys/un.h unistd.h""".split())


def fits(table, name, header):
    return any(re.fullmatch(file, name) and re.fullmatch(headers, header) for file, headers in table.items())


def library(name, header):
    """What is wrong with a header of a library, or None."""
    if header in STANDARD or header in SYSTEM:
        return None
    for pattern, owner in OWNERS:
        if re.fullmatch(pattern, header):
            return None if re.fullmatch(owner, name) else f"{header} belongs to {owner} alone"
    return (f"{header} is not listed in tests/lint/include_directions.py: a third-party header needs one owner in OWNERS, "
            "a header of the system a place in SYSTEM")


def ours(name, header):
    """What is wrong with a header of this project, or None."""
    folder, target = name.split("/")[0], header.split("/")[0]
    for pattern, owner in PRIVATE.items():
        if re.fullmatch(pattern, header) and not re.fullmatch(owner, name):
            return f"{header} belongs to {owner} alone"
    source = re.match(r"sources/\w+/", name)
    if source:
        for pattern, headers in PURE.items():
            pattern, headers = (text.replace("~/", source.group(0)) for text in (pattern, headers))
            if re.fullmatch(pattern, name) and not re.fullmatch(headers, header) and not fits(NOT_QUITE_PURE, name, header):
                return f"{name} is pure and may include {headers} only, not {header}"
        other = re.match(r"sources/\w+/", header)
        if other and other.group(0) != source.group(0):
            return f"one source must not include another ({header})"
    if folder == target or any(re.match(pattern, header) for pattern in ALLOWED.get(folder, [])) or fits(EXCEPTIONS, name, header):
        return None
    return f"{folder}/ must not include {header}"


def problems_of(name, text):
    """(line, what is wrong) of one file below exporter/."""
    for number, line in enumerate(text.splitlines(), 1):
        if not re.match(r"\s*#\s*(include|include_next|import)\b", line):
            continue
        found = re.match(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', line)
        if not found:
            yield number, f"no include that can be judged: {line.strip()}"
        elif found.group(2):
            problem = library(name, found.group(2))
            if problem:
                yield number, problem
        elif not (ROOT / found.group(1)).is_file() and found.group(1) not in MADE:
            yield number, f"\"{found.group(1)}\" is no file below exporter/: headers of libraries stand in <>"
        else:
            problem = ours(name, found.group(1))
            if problem:
                yield number, problem


def main():
    found = [f"exporter/{path.relative_to(ROOT)}:{line}: {problem}"
             for path in sorted(ROOT.rglob("*")) if re.fullmatch(r"\.(h|hpp|hh|c|cc|cpp|cxx|inl|def|in)", path.suffix)
             for line, problem in problems_of(path.relative_to(ROOT).as_posix(), path.read_text())]
    for problem in found:
        print(problem)
    print(f"{len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
