"""What a process costs: CPU seconds and memory from /proc, of it and its children."""
import os
import pathlib
import statistics
import subprocess

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def family(pid):
    """The process and all that it started."""
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
    return [pid] + [each for child in children for each in family(int(child))]


def cpu_seconds(pid):
    total = 0
    for each in family(pid):
        fields = pathlib.Path(f"/proc/{each}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS_A_SECOND


def memory_mebibytes(pid, field="VmRSS"):
    """VmRSS: resident now, VmHWM: the peak. Shared libraries count in full."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise KeyError(field)


def own_mebibytes(pid):
    """What no other process has: private and written to."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Private_Dirty:"):
            return int(line.split()[1]) / 1024
    raise KeyError(pid)


def middle(values):
    return statistics.median(values)


def table(head, rows):
    """Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
