#!/usr/bin/env python3
"""What the compiler and linker were told about safety is in the binary: what `checksec` looks at, by readelf alone.

usage: hardening_test.py BINARY COMPILER    (the compiler makes a program that has none of it)
"""
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "end_to_end"))
from exporter import main  # noqa: E402

BINARY, COMPILER = sys.argv[1:3]
# Old-fashioned and with a buffer, so that there is something to protect.
CARELESS = r"""
#include <stdio.h>
#include <string.h>
int main(int count, char** arguments) {
  char copy[64];
  strcpy(copy, arguments[count - 1]);
  return printf("%s", copy) < 0;
}
"""


def readelf(option, binary):
    return subprocess.run(["readelf", "-W", option, binary], capture_output=True, text=True, check=True,
                          env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}).stdout


def missing(binary):
    """The names of those protections that the program lacks."""
    segments, dynamic = readelf("-l", binary), readelf("-d", binary)
    symbols = set(re.findall(r"UND (\w+)", readelf("--dyn-syms", binary)))
    now = bool(re.search(r"\((FLAGS|FLAGS_1|BIND_NOW)\).*\b(BIND_NOW|NOW)\b", dynamic))
    stack = re.search(r"GNU_STACK.* ([R ][W ][E ]) ", segments)
    facts = {
        "PIE": bool(re.search(r"FLAGS_1.* PIE", dynamic)) and bool(re.search(r"Type:\s+DYN", readelf("-h", binary))),
        "RELRO": "GNU_RELRO" in segments,
        "bound at start": now,  # with RELRO: the table of functions is read-only before main()
        "stack not executable": bool(stack) and "E" not in stack.group(1),
        "stack canaries": "__stack_chk_fail" in symbols,
        "fortified functions": any(name.endswith("_chk") for name in symbols),
        "no search path": "RPATH" not in dynamic and "RUNPATH" not in dynamic,
    }
    return {name for name, there in facts.items() if not there}


def built(folder, *flags):
    source = pathlib.Path(folder) / "careless.c"
    source.write_text(CARELESS)
    made = pathlib.Path(folder) / "careless"
    subprocess.run([COMPILER, "-x", "c", source, "-o", made, "-O2", "-w", *flags], check=True)
    return made


def the_binary_has_every_protection():
    assert missing(BINARY) == set(), missing(BINARY)


def a_program_without_them_is_noticed():
    with tempfile.TemporaryDirectory() as folder:
        none = ["-no-pie", "-Wl,-z,norelro,-z,lazy,-z,execstack,-rpath,/tmp", "-fno-stack-protector", "-U_FORTIFY_SOURCE"]
        all_of_them = {"PIE", "RELRO", "bound at start", "stack not executable", "stack canaries", "fortified functions",
                       "no search path"}
        assert missing(built(folder, *none)) == all_of_them, missing(built(folder, *none))


def each_is_noticed_by_itself():
    every = {"PIE": ["-pie", "-fPIE"], "RELRO": ["-Wl,-z,relro"], "bound at start": ["-Wl,-z,now"],
             "stack not executable": ["-Wl,-z,noexecstack"], "stack canaries": ["-fstack-protector-strong"],
             "fortified functions": ["-D_FORTIFY_SOURCE=2"], "no search path": []}
    without = {"PIE": ["-no-pie"], "RELRO": ["-Wl,-z,norelro"], "bound at start": ["-Wl,-z,lazy"],
               "stack not executable": ["-Wl,-z,execstack"], "stack canaries": ["-fno-stack-protector"],
               "fortified functions": ["-U_FORTIFY_SOURCE"], "no search path": ["-Wl,-rpath,/tmp"]}
    with tempfile.TemporaryDirectory() as folder:
        for lacking in every:
            flags = [flag for name in every for flag in (without if name == lacking else every)[name]]
            assert missing(built(folder, *flags)) == {lacking}, (lacking, missing(built(folder, *flags)))


main([the_binary_has_every_protection, a_program_without_them_is_noticed, each_is_noticed_by_itself])
