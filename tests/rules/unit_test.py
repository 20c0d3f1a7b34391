#!/usr/bin/env python3
"""Runs every file of rules/tests with promtool: exact labels and annotations of every alert, and when it must be silent."""
import pathlib
import subprocess
import sys

folder = pathlib.Path(__file__).resolve().parents[2] / "rules/tests"
failed = False
for path in sorted(folder.glob("*.yaml")):
    done = subprocess.run(["promtool", "test", "rules", path.name], cwd=folder, capture_output=True, text=True, check=False)
    print(f"{'ok    ' if done.returncode == 0 else 'FAILED'} {path.name}")
    if done.returncode != 0:
        failed = True
        print(done.stdout + done.stderr)
sys.exit(1 if failed else 0)
