"""HTML of one panel. It imitates the layout of Grafana's panels, no more: see dashboards/README.md."""
import datetime
import html
import re

from viewer import answers
from viewer.values import by_threshold, config_of, palette, shown


def escaped(text):
    return html.escape(str(text))


def stat(url, panel, begin, end, width, height):
    found = answers.numbers(url, panel, begin, end) or [("", None)]
    cells = []
    for name, value in found:
        text, color = shown(value, config_of(panel, name), end)
        color = "#44474f" if value is None else color
        size = min(40, (height - 50) * 0.7, 1.45 * width / len(found) / max(len(text), 4))
        label = f"<small>{escaped(name)}</small>" if len(found) > 1 else ""
        cells.append(f'<div class="stat" style="background:{color};font-size:{max(size, 13):.0f}px">{label}{escaped(text)}</div>')
    return "".join(cells)


def table(url, panel, begin, end, width, height):
    names, rows = answers.table(url, panel, begin, end)
    if not rows:
        return nothing(panel)
    configs = {name: config_of(panel, name) for name in names}
    fixed = {name: configs[name]["custom"].get("width") for name in names}
    matrix = any(one["id"] == "groupingToMatrix" for one in panel.get("transformations", ()))
    columns = "".join(f'<col style="width:{fixed[name]}px">' if fixed[name] and not (matrix and name != names[0]) else "<col>" for name in names)
    head = "".join(f"<th>{escaped(name)}</th>" for name in names)
    room = max(int((height - 68) / 26), 1)
    body = []
    for row in rows[:room]:
        cells = []
        for name in names:
            value = row.get(name)
            text, color = shown(value, configs[name], end) if value is not None else ("", "transparent")
            kind = (configs[name]["custom"].get("cellOptions") or {}).get("type", "auto")
            style = {"color-text": f"color:{color}", "color-background": f"background:{color};color:#111;text-align:center"}.get(kind, "")
            if kind == "color-background" and color == "transparent":
                style = "text-align:center"
            link = " class=link" if configs[name].get("links") and text else ""
            cells.append(f'<td style="{style}"{link}>{escaped(text)}</td>')
        body.append(f"<tr>{''.join(cells)}</tr>")
    more = f'<div class="more">{len(rows) - room} more rows: scroll</div>' if len(rows) > room else ""
    small = ' class="matrix"' if matrix and len(names) > 12 else ""
    return f"<table{small}><colgroup>{columns}</colgroup><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>{more}"


def nothing(panel):
    return f'<div class="nothing">{escaped(panel["fieldConfig"]["defaults"].get("noValue", "no data"))}</div>'


def ticks(begin, end, left, width, y):
    parts = []
    last = max(min(int(width / 110), 5), 1)
    for number in range(last + 1):
        at = begin + (end - begin) * number / last
        x = left + width * number / last
        anchor = "start" if number == 0 else "end" if number == last else "middle"
        parts.append(f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{datetime.datetime.fromtimestamp(at):%H:%M:%S}</text>')
    return "".join(parts)


def key(entries):
    return '<div class="key">' + "".join(f'<span><i style="background:{color}"></i>{escaped(name)}</span>' for name, color in entries) + "</div>"


def segments(points, step):
    """Runs of points without a gap."""
    run = []
    for at, value in points:
        if run and at - run[-1][0] > 2.5 * step:
            yield run
            run = []
        run.append((at, value))
    if run:
        yield run


def graph(url, panel, begin, end, width, height):
    series, step = answers.lines(url, panel, begin, end)
    if not series:
        return nothing(panel)
    config = panel["fieldConfig"]["defaults"]
    stacked = config["custom"].get("stacking", {}).get("mode") == "normal"
    key_rows = min(int(sum(len(name) * 6.6 + 34 for name, _ in series) / (width - 24)) + 1, 3)
    left, top, right, bottom = 74, 8, width - 14, height - 52 - 18 * key_rows
    sums, drawn = {}, []
    for index, (name, points) in enumerate(series):
        lower = {at: sums.get(at, 0.0) if stacked else 0.0 for at, _ in points}
        upper = [(at, value + lower[at]) for at, value in points]
        sums.update({at: value for at, value in upper})
        drawn.append((name, palette[index % len(palette)], upper, lower))
    limits = [step["value"] for step in config["thresholds"]["steps"] if step["value"] is not None] \
        if config["custom"].get("thresholdsStyle", {}).get("mode", "off") != "off" else []
    highest = config.get("max") or max([value for _, _, points, _ in drawn for _, value in points] + limits) * 1.1 or 1
    lowest = config.get("min") or 0

    def x(at):
        return left + (at - begin) / (end - begin) * (right - left)

    def y(value):
        return bottom - (value - lowest) / (highest - lowest) * (bottom - top)
    parts = []
    for number in range(5):
        value = lowest + (highest - lowest) * number / 4
        text, _ = shown(float(value), {**config, "mappings": ()}, end)
        parts.append(f'<line x1="{left}" x2="{right}" y1="{y(value):.1f}" y2="{y(value):.1f}" class="grid"/>'
                     f'<text x="{left - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{escaped(text)}</text>')
    for name, color, points, lower in reversed(drawn) if stacked else drawn:
        for run in segments(points, step):
            path = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in run)
            if stacked:
                base = " ".join(f"{x(at):.1f},{y(lower[at]):.1f}" for at, _ in reversed(run))
                parts.append(f'<polygon points="{path} {base}" fill="{color}" fill-opacity=".55"/>')
            parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="1.5"/>')
    for limit in limits:
        parts.append(f'<line x1="{left}" x2="{right}" y1="{y(limit):.1f}" y2="{y(limit):.1f}" stroke="{by_threshold(float(limit), config)}" stroke-dasharray="6 4"/>')
    parts.append(ticks(begin, end, left, right - left, bottom + 16))
    return f'<svg width="{width}" height="{bottom + 22:.0f}">{"".join(parts)}</svg>' + key([(name, color) for name, color, _, _ in drawn])


def timeline(url, panel, begin, end, width, height):
    series, step = answers.lines(url, panel, begin, end)
    if not series:
        return nothing(panel)
    page = panel["options"].get("perPage")
    more = len(series) - page if page and len(series) > page else 0
    series = series[:page] if page else series
    config = panel["fieldConfig"]["defaults"]
    left = min(max(len(name) for name, _ in series) * 7 + 16, width * 0.45)
    right, lane = width - 10, (height - 88) / len(series)
    parts, used = [], {}
    for index, (name, points) in enumerate(series):
        top = 4 + index * lane
        parts.append(f'<text x="{left - 8:.0f}" y="{top + lane / 2 + 4:.0f}" text-anchor="end">{escaped(name)}</text>')
        for run in segments(points, step):
            start = 0
            for at in range(1, len(run) + 1):
                if at == len(run) or run[at][1] != run[start][1]:
                    text, color = shown(run[start][1], config, end)
                    used[text] = color
                    x1 = left + (run[start][0] - begin) / (end - begin) * (right - left)
                    x2 = left + ((run[at][0] if at < len(run) else run[-1][0] + step) - begin) / (end - begin) * (right - left)
                    x2 = min(x2, right)
                    parts.append(f'<rect x="{x1:.1f}" y="{top:.1f}" width="{max(x2 - x1, 1):.1f}" height="{lane * .85:.1f}" fill="{color}" fill-opacity=".8"/>')
                    if x2 - x1 > len(text) * 7 + 8 and lane > 12:
                        parts.append(f'<text x="{x1 + 5:.0f}" y="{top + lane / 2 + 3:.0f}" class="dark">{escaped(text)}</text>')
                    start = at
    parts.append(ticks(begin, end, left, right - left, height - 68))
    note = f'<div class="more">{more} more lanes on the next pages</div>' if more else ""
    return f'<svg width="{width}" height="{height - 62}">{"".join(parts)}</svg>' + key(used.items()) + note


def bars(url, panel, begin, end, width, height):
    found = answers.numbers(url, panel, begin, end)
    if not found:
        return nothing(panel)
    config = panel["fieldConfig"]["defaults"]
    highest = config.get("max") or max(value for _, value in found) or 1
    size = min((height - 46) / len(found) - 6, 34)
    rows = []
    for name, value in found:
        text, color = shown(value, config_of(panel, name), end)
        share = min(max(value / highest, 0), 1) * 100
        rows.append(f'<div class="bar" style="height:{size:.0f}px"><b>{escaped(name)}</b><u><s style="width:{share:.1f}%;background:{color}"></s></u>'
                    f'<em style="color:{color}">{escaped(text)}</em></div>')
    return "".join(rows)


def text(url, panel, begin, end, width, height):
    def inline(line):
        line = re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped(line))
        return re.sub(r"\*([^*]+)\*", r"<i>\1</i>", re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", line))
    parts, rows = [], []
    for line in [*panel["options"]["content"].split("\n"), ""]:
        if line.startswith("|"):
            if not re.fullmatch(r"[|\-]+", line):
                rows.append("".join(f"<td>{inline(cell.strip())}</td>" for cell in line.strip("|").split("|")))
            continue
        if rows:
            parts.append("<table class=text>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>")
            rows = []
        if line:
            parts.append(f"<p>{inline(line)}</p>")
    return "".join(parts)


kinds = {"stat": stat, "table": table, "timeseries": graph, "state-timeline": timeline, "bargauge": bars, "text": text}
