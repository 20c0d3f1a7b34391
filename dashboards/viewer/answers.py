"""Asks what a panel asks, and does to the answers what its transformations say. Only those that the dashboards use."""
import re

from viewer import boards, replay


def legend(target, metric):
    text = target.get("legendFormat") or "__auto"
    if text == "__auto":
        return ", ".join(f"{key}={value}" for key, value in metric.items() if key != "__name__") or "value"
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: metric.get(found[1], ""), text)


def lines(url, panel, begin, end):
    """[(name, [(time, value)])] of a panel that shows time."""
    step = max((end - begin) / 300, 0.5)
    result = []
    for target in panel["targets"]:
        found = replay.ask(url, "query_range", query=boards.substituted(target["expr"], end - begin, "6s"), start=begin, end=end, step=step)
        result += [(legend(target, one["metric"]), [(float(at), float(value)) for at, value in one["values"]]) for one in found["result"]]
    return result, step


def numbers(url, panel, begin, end):
    """[(name, value)] of a panel that shows the last value. A panel that shows a label gets that word."""
    result = []
    for target in panel["targets"]:
        found = replay.ask(url, "query", query=boards.substituted(target["expr"], end - begin, "6s"), time=end)["result"]
        fields = panel["options"].get("reduceOptions", {}).get("fields")
        if fields:
            words = sorted(one["metric"].get(fields.strip("/^$"), "") for one in found)
            return [("", words[0])] if words else []
        result += [(legend(target, one["metric"]), float(one["value"][1])) for one in found]
    return result


def merged(frames):
    """Rows of several queries; those that agree in all that they share are one."""
    rows = []
    for frame in frames:
        for row in frame:
            for other in rows:
                shared = set(row) & set(other)
                if shared and all(row[key] == other[key] for key in shared) and not any(key.startswith("Value") for key in shared):
                    other.update(row)
                    break
            else:
                rows.append(dict(row))
    return rows


def table(url, panel, begin, end):
    """(column names, rows as dictionaries) after the transformations."""
    frames = []
    for target in panel["targets"]:
        found = replay.ask(url, "query", query=boards.substituted(target["expr"], end - begin, "6s"), time=end)["result"]
        value = "Value" if len(panel["targets"]) == 1 else f"Value #{target['refId']}"
        frames.append([{**{key: text for key, text in one["metric"].items() if key != "__name__"}, value: float(one["value"][1])}
                       for one in found])
    rows = merged(frames)
    names = sorted({key for row in rows for key in row})
    for transformation in panel.get("transformations", ()):
        options = transformation["options"]
        if transformation["id"] == "organize":
            order = options["indexByName"]
            names = sorted((name for name in names if not options["excludeByName"].get(name)), key=lambda name: (order.get(name, 99), name))
            renames = options["renameByName"]
            rows = [{renames.get(key, key): value for key, value in row.items()} for row in rows]
            names = [renames.get(name, name) for name in names]
        if transformation["id"] == "groupingToMatrix":
            corner = f"{options['rowField']}\\{options['columnField']}"
            grouped = {}
            for row in rows:
                grouped.setdefault(row[options["rowField"]], {corner: row[options["rowField"]]})[row[options["columnField"]]] = row["Value"]
            names = [corner, *sorted({row[options["columnField"]] for row in rows})]
            rows = list(grouped.values())
    for sort in reversed(panel["options"].get("sortBy") or ()):
        key = sort["displayName"]
        rows.sort(key=lambda row: (str(type(row.get(key))), row.get(key)) if row.get(key) is not None else ("", 0), reverse=sort["desc"])
    return names, rows
