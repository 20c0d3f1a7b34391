#!/usr/bin/env python3
"""Runs fuzz targets one after the other and prints a line for each.

  fuzz.py --programs build/asan/tests/fuzz [--seconds 15 | --executions 1000000] [target …]

An input that breaks something is left in <programs>/found and its file is named. What new inputs
taught is kept in <programs>/corpus for the next run.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import time

import corpus


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--executions", type=int)
    parser.add_argument("targets", nargs="*")
    return parser.parse_args()


def run(programs, target, limits):
    learned = programs / "corpus" / target
    found = programs / "found"
    dictionary = corpus.write(target, programs / "seeds" / target)
    for folder in (learned, found):
        folder.mkdir(parents=True, exist_ok=True)
    command = [str(programs / f"{target}_fuzz"), *limits, f"-dict={dictionary}", f"-artifact_prefix={found}/{target}-",
               "-max_len=65536" if target == "fleet" else "-max_len=16384", "-timeout=20", "-rss_limit_mb=2048",
               "-print_final_stats=1", "-verbosity=1", str(learned), str(programs / "seeds" / target)]
    begin = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    text = done.stderr.decode(errors="replace")
    seconds = time.monotonic() - begin
    executions = re.findall(r"stat::number_of_executed_units:\s+(\d+)", text) or re.findall(r"#(\d+)\s", text)
    covered = re.findall(r"cov: (\d+)", text)
    rate = int(executions[-1]) / seconds if executions else 0
    print(f"{target}: {executions[-1] if executions else 0} executions in {seconds:.0f} s ({rate:.0f}/s), "
          f"{covered[-1] if covered else 0} edges, {'nothing found' if done.returncode == 0 else 'BROKEN'}", flush=True)
    if done.returncode != 0:
        lines = text.splitlines()
        start = next((i for i, line in enumerate(lines) if "ERROR" in line or "broken:" in line or "runtime error" in line), -40)
        print("\n".join(lines[start:][:40]))
        print("\n".join(line for line in lines if line.startswith("Test unit written")), flush=True)
    return done.returncode == 0


def main():
    options = arguments()
    limits = ["-max_total_time=%d" % (options.seconds or 15)]
    if options.executions:
        limits = ["-runs=%d" % options.executions]
    targets = options.targets or sorted(path.name[:-5] for path in options.programs.glob("*_fuzz"))
    results = [run(options.programs, target, limits) for target in targets]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
