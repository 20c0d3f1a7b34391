#!/usr/bin/env python3
"""The binary on a machine that is at its limit of processes: whichever thread cannot be started, the exporter either works
or ends with a code that makes systemd and Kubernetes start it again. It never stays and shows what was.

usage: no_threads_test.py BINARY
"""
import contextlib
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from exporter import main  # noqa: E402

SCRATCH = pathlib.Path(tempfile.mkdtemp(prefix="sc-"))
BINARY = SCRATCH / "exporter"  # a copy: nobody else may look into a clone in root's home
SOMEBODY = 65531  # has no process of its own, so that the limit is the number of this one's threads


def limited(threads):
    def before_start():
        resource.setrlimit(resource.RLIMIT_NPROC, (threads, threads))
        os.setgroups([])
        os.setresgid(SOMEBODY, SOMEBODY, SOMEBODY)
        os.setresuid(SOMEBODY, SOMEBODY, SOMEBODY)
    return before_start


def configuration():
    SCRATCH.chmod(0o755)
    path = SCRATCH / "config.yaml"
    path.write_text("".join(f"{source}: {{url: 'http://127.0.0.1:1', interval: 1s, timeout: 500ms}}\n"
                            for source in ("traefik", "linstor")))
    return path


@contextlib.contextmanager
def started(threads):
    """The process, which is gone afterwards."""
    process = subprocess.Popen([BINARY, "--web.listen-address", "127.0.0.1:0", "--config", str(configuration())],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, preexec_fn=limited(threads))
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def read_until(process, log, done):
    """False when it ended before."""
    for line in process.stderr:
        log.append(line.rstrip())
        if done(log):
            return True
    return False


def works(log):
    """It listens, and both sources were asked, so that both of their threads run."""
    return any("msg=listening" in line for line in log) and sum("source cannot be read" in line for line in log) >= 2


def test_it_works_or_it_ends():
    codes = []
    for threads in range(1, 40):
        log = []
        with started(threads) as process:
            if read_until(process, log, works):
                process.terminate()
            log += process.stderr.read().splitlines()
            codes.append(process.wait(60))
        if codes[-1] == 0:
            break
        assert codes[-1] in (1, 2), (threads, codes, log)
        assert "not start: " in log[-1] or "cannot " in log[-1], (threads, log)
    # Which thread is the one too many is chance: that judging ends is told by 1 here, or in the next test.
    assert codes[-1] == 0 and 2 in codes, codes


def test_a_reload_that_finds_no_thread_ends_it():
    log = []
    with started(100) as process:
        assert read_until(process, log, works), log
        process.send_signal(signal.SIGHUP)
        assert read_until(process, log, lambda log: "msg=reloaded" in log[-1]), log  # nothing wrong with that
        # Somebody may do that to his own processes; root would need a right that containers do not have.
        subprocess.run(["prlimit", f"--pid={process.pid}", "--nproc=1:1"], preexec_fn=limited(100), check=True)
        process.send_signal(signal.SIGHUP)
        log += process.stderr.read().splitlines()
        assert process.wait(60) == 1 and "cannot judge any more" in log[-1], log


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("skipped: only root can become somebody who has no process")
        sys.exit(77)
    shutil.copy(sys.argv[1], BINARY)
    try:
        main([test for name, test in list(globals().items()) if name.startswith("test_")])
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)
