"""One HTML page of a whole dashboard: the grid of 24 columns, in Grafana's dark colours."""
import datetime

from viewer.drawing import escaped, kinds

width, cell, gap = 1600, 30, 8
style = """
body{margin:0;background:#111217;color:#ccccdc;font:13px 'DejaVu Sans',sans-serif;position:relative}
h1{font-size:19px;font-weight:500;margin:0;padding:12px 12px 4px;color:#e6e6f0} h1 small{color:#9a9ab0;font-size:13px;font-weight:400;margin-left:14px}
.panel{position:absolute;background:#181b1f;border:1px solid #2b2e36;border-radius:2px;overflow:hidden;box-sizing:border-box}
.panel>h2{font-size:13.5px;font-weight:500;margin:0;padding:7px 10px;height:17px;white-space:nowrap;color:#e0e0ea}
.row{position:absolute;font-size:15px;color:#e0e0ea;padding:6px 4px}
.in{position:absolute;top:31px;left:0;right:0;bottom:0;overflow:hidden}
.flex{display:flex;gap:4px;padding:0 6px 6px;box-sizing:border-box}
.stat{flex:1;display:flex;flex-direction:column;align-items:center;justify-content:center;color:#111;border-radius:2px;text-align:center;line-height:1.15;font-weight:500;overflow:hidden}
.stat small{font-size:12px;font-weight:400}
table{border-collapse:collapse;width:100%;table-layout:fixed;font-size:12.5px}
th{color:#6e9fff;font-weight:500;text-align:left} th,td{padding:0 8px;height:25px;border-bottom:1px solid #25282e;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.matrix th,.matrix td{padding:0 3px;font-size:11.5px;border-right:1px solid #181b1f} .matrix th{text-overflow:clip;font-size:10px}
.link{color:#6e9fff!important;text-decoration:underline} .more{position:absolute;bottom:2px;right:10px;color:#9a9ab0;font-size:11.5px;background:#181b1fdd;padding:1px 6px}
.nothing{display:flex;height:90%;align-items:center;justify-content:center;color:#9a9ab0;font-size:15px;text-align:center}
svg{display:block} svg text{fill:#b4b4c4;font-size:11.5px} svg .dark{fill:#101116} .grid{stroke:#2b2e36}
.key{padding:0 12px;font-size:11.5px;line-height:18px;max-height:54px;overflow:hidden} .key span{margin-right:14px;white-space:nowrap;display:inline-block} .key i{display:inline-block;width:13px;height:4px;margin-right:5px;vertical-align:3px}
.bar{display:flex;align-items:center;margin:3px 10px;gap:8px} .bar b{width:30%;font-weight:400;text-align:right;white-space:nowrap;overflow:hidden;text-overflow:ellipsis;font-size:12px} .bar u{flex:1;background:#24272e;height:100%;display:block;text-decoration:none} .bar s{display:block;height:100%;opacity:.75} .bar em{width:70px;font-style:normal;font-size:12.5px}
p{margin:2px 12px 8px} .text td{white-space:normal;height:auto;padding:5px 8px;vertical-align:top} code{background:#24272e;padding:0 3px}
"""


def render(url, board, begin, end, rows=None):
    """(HTML, its size). With `rows`, only panels within the first rows of the grid."""
    unit = (width - gap) / 24
    top, parts, lowest = 44, [], 0
    for panel in board["panels"]:
        place = panel["gridPos"]
        if rows and place["y"] + place["h"] > rows:
            continue
        x, y = gap + place["x"] * unit, top + place["y"] * (cell + gap)
        w, h = round(place["w"] * unit - gap), place["h"] * (cell + gap) - gap
        lowest = max(lowest, y + h)
        box = f"left:{x:.0f}px;top:{y}px;width:{w}px;height:{h}px"
        if panel["type"] == "row":
            parts.append(f'<div class="row" style="{box}">⌄ {escaped(panel["title"])}</div>')
            continue
        inside = kinds[panel["type"]](url, panel, begin, end, w - 2, h)
        flex = " flex" if panel["type"] == "stat" else ""
        parts.append(f'<div class="panel" style="{box}"><h2>{escaped(panel["title"])}</h2><div class="in{flex}">{inside}</div></div>')
    clock = f"{datetime.datetime.fromtimestamp(begin):%H:%M:%S} to {datetime.datetime.fromtimestamp(end):%H:%M:%S}"
    head = f'<h1>{escaped(board["title"])}<small>preview, not Grafana · {escaped(board["description"])} · {clock}</small></h1>'
    return f'<!doctype html><meta charset="utf-8"><style>{style}</style><body>{head}{"".join(parts)}', (width, int(lowest + gap))
