#!/usr/bin/env python3
"""Every C++ file is as clang-format 19 writes it (.clang-format). Mend with: tests/lint/format.py --fix

exit 77 (skipped) where clang-format-19 is not installed
"""
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    if not shutil.which("clang-format-19"):
        print("clang-format-19 is not installed")
        return 77
    files = sorted(str(file) for folder in ("exporter", "tests") for file in (ROOT / folder).rglob("*") if file.suffix in (".cpp", ".h"))
    arguments = ["-i"] if "--fix" in sys.argv else ["--dry-run", "-Werror"]
    failed = 0
    for start in range(0, len(files), 50):
        failed |= subprocess.run(["clang-format-19", *arguments, *files[start:start + 50]], check=False).returncode
    print(f"{len(files)} files{', some are not formatted' if failed else ''}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
