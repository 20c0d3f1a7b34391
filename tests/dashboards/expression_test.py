#!/usr/bin/env python3
"""What queries of the dashboards answer in made-up situations that no recording has: expressions.yaml, by promtool."""
import pathlib
import subprocess
import sys
import tempfile

import yaml

folder = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(folder.parents[1] / "dashboards"))
from viewer import boards  # noqa: E402


def expression(board, title, reference):
    panel = next(panel for panel in boards.panels(boards.load()[f"shortcircuit-{board}"]) if panel["title"] == title)
    return boards.substituted(next(target["expr"] for target in panel["targets"] if target["refId"] == reference), 3600)


def promtool_case(case):
    def samples(want):
        return [{"labels": labels, "value": value} for labels, value in want.items()]
    return {"name": case["name"], "interval": case["interval"],
            "input_series": [{"series": series, "values": values} for series, values in case["series"].items()],
            "promql_expr_test": [{"expr": expression(*ask["query"]), "eval_time": ask["at"], "exp_samples": samples(ask["answer"])}
                                 for ask in case["asks"]]}


def main():
    cases = yaml.safe_load((folder / "expressions.yaml").read_text())
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump({"tests": [promtool_case(case) for case in cases]}, file)
        file.flush()
        done = subprocess.run(["promtool", "test", "rules", file.name], capture_output=True, text=True)
    print(f"ok: {len(cases)} situations" if done.returncode == 0 else done.stdout + done.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
