#!/usr/bin/env python3
"""Every upstream × every fault (faults.py), against the real binary. For each cell:
  - every scrape answers while the fault lasts, in valid UTF-8;
  - the failure has the reason that faults.py says;
  - what the other sources say stays, line by line, and so does their health;
  - nothing that was not said before is said: no finding is invented, and none is healed (a finding may only go with its check
    saying that it is unknown);
  - after three missed polls nothing of a source that is down is said any more;
  - within two intervals after the end everything is as it was, line by line;
  - threads and descriptors are as many as before, and memory is given back.

usage: fault_matrix_test.py BINARY RECORDINGS [--only UPSTREAM[,…]] [--fault FAULT[,…]]
           [--interval 1500ms] [--timeout 1400ms] [--rounds N]

HALF_OF_FAULTS=0 or 1 in the environment: every other cell, the black or the white ones of a chessboard.

--rounds N goes through the faults in short turns until each upstream has had N of them, and looks at threads, descriptors and
memory only. One that is too slow for a good poll within the timeout never sees a recovery: give it priority (`nice -n -10`).

2026-11-25, --rounds 1000 --interval 600ms --timeout 550ms: all six upstreams whole, in half an hour on two cores beside builds.
23 threads from the first to the last round; at most 127 descriptors in the first half, 125 in the last quarter; most KiB resident in
the first half and the last quarter: kubernetes 29,764 and 30,056, linstor 26,884 and 27,392, traefik 26,668 and 27,088, headscale
26,716 and 26,348, etcd 26,248 and 26,220, tailscale 24,964 and 25,084.
The whole matrix of 138 cells takes 2.5 to 3 minutes.
"""
import argparse
import multiprocessing
import os
import pathlib
import shutil
import sys
import tempfile
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from fault_lane import Lane, stable  # noqa: E402
from faults import MATRIX, UPSTREAMS, Impossible, expected  # noqa: E402
from faulty_upstream import make_certificates  # noqa: E402


def run_lane(upstream, options, certificates, results):
    lane, name = None, "start"
    try:
        names = [n for n in MATRIX if not options.fault or n in options.fault.split(",")]
        if half := os.environ.get("HALF_OF_FAULTS"):
            names = [n for n in names if (list(MATRIX).index(n) + UPSTREAMS.index(upstream)) % 2 == int(half)]
        # Not all upstreams have the heavy ones at the same time.
        first = UPSTREAMS.index(upstream) * 4 % len(names)
        names = names[first:] + names[:first]
        lane = Lane(upstream, options.binary, options.recordings, certificates, options.interval, options.timeout)
        lane.baseline()
        if options.rounds:
            run_rounds(lane, [n for n in names if not isinstance(expected(n, upstream), Impossible)], options.rounds, results)
        else:
            for name in names:
                begin = time.monotonic()
                try:
                    results.put(("ok      ", upstream, name, f"{lane.cell(name)}  {time.monotonic() - begin:.0f} s"))
                except Exception:
                    results.put(("FAILED  ", upstream, name, traceback.format_exc()))
                    lane.wait_for_text("recovery", lambda t: stable(t) == lane.before)
        lane.close()
    except Exception:
        results.put(("FAILED  ", upstream, name, traceback.format_exc() + "\n".join(lane.exporter.log[-10:] if lane else [])))
        if lane:
            lane.exporter.process.kill()


def run_rounds(lane, names, rounds, results):
    seen = []
    for i in range(rounds):
        lane.short_round(names[i % len(names)])
        if i % len(names) == len(names) - 1:  # after whole turns only: like is compared with like
            seen.append(lane.open_things())
            results.put(("...     ", lane.upstream, f"{i + 1} rounds", "%d threads, %d descriptors, %d KiB" % seen[-1]))
    quarter = max(1, len(seen) // 4)
    early, late = (tuple(max(things) for things in zip(*part)) for part in (seen[:quarter * 2], seen[-quarter:]))
    ok = late[0] <= early[0] + 1 and late[1] <= early[1] + 8 and late[2] <= early[2] * 1.15
    results.put(("ok      " if ok else "FAILED  ", lane.upstream, f"{rounds} rounds",
                 "most threads, descriptors, KiB: first half %s, last quarter %s" % (early, late)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("recordings")
    parser.add_argument("--only", default=",".join(UPSTREAMS))
    parser.add_argument("--fault", default="")
    parser.add_argument("--rounds", type=int, default=0)
    # A program under a sanitizer needs longer for the heavy answers.
    slow = "SHORTCIRCUIT_SANITIZE" in os.environ
    parser.add_argument("--interval", default="3s" if slow else "1500ms")
    parser.add_argument("--timeout", default="2900ms" if slow else "1400ms")
    options = parser.parse_args()
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="sc-certificates-"))
    try:
        certificates = make_certificates(scratch)
        results = multiprocessing.SimpleQueue()
        lanes = [multiprocessing.Process(target=run_lane, args=(upstream, options, certificates, results))
                 for upstream in options.only.split(",")]
        for lane in lanes:
            lane.start()
        failed = 0
        while any(lane.is_alive() for lane in lanes) or not results.empty():
            if results.empty():
                time.sleep(0.1)
                continue
            word, upstream, name, text = results.get()
            failed += word.startswith("FAILED")
            print(f"{word}{upstream:<11}{name:<24}{text}", flush=True)
        for lane in lanes:
            lane.join()
            failed += lane.exitcode != 0
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
