"""Reads the dashboards' JSON: panels, targets, variables. Needs nothing but Python."""
import json
import pathlib

folder = pathlib.Path(__file__).resolve().parents[1]


def load():
    """All committed dashboards by uid."""
    boards = [json.loads(path.read_text()) for path in sorted(folder.glob("shortcircuit-*.json"))]
    return {board["uid"]: board for board in boards}


def panels(board):
    """Panels that show something, those of collapsed rows too."""
    for panel in board["panels"]:
        if panel["type"] == "row":
            yield from panel.get("panels", ())
        else:
            yield panel


def substituted(expression, seconds, rate_interval="10s"):
    """The query as Grafana sends it when every variable says All."""
    values = {"$cluster": ".*", "$host": ".*", "$__rate_interval": rate_interval, "$__range": f"{max(round(seconds), 1)}s"}
    for name in ("job", "instance", "from", "peer", "member", "source"):
        values[f"${name}"] = ".+"
    # Longest first: $from must not eat the beginning of a longer name.
    for name in sorted(values, key=len, reverse=True):
        expression = expression.replace(name, values[name])
    return expression
