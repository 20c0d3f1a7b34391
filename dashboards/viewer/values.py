"""Turns a value into text and colour the way Grafana's field configuration says it: unit, mappings, thresholds."""
import datetime
import re

palette = ["#73bf69", "#f2cc0c", "#5794f2", "#ff780a", "#f2495c", "#b877d9", "#37872d", "#fade2a", "#1f60c4", "#fa6400",
           "#c4162a", "#8f3bb8", "#96d98d", "#ffee52", "#8ab8ff"]
shades = {"green": "#73bf69", "orange": "#ff9830", "red": "#f2495c", "blue": "#5794f2", "purple": "#b877d9", "yellow": "#fade2a",
          "light-green": "#96d98d", "light-orange": "#ffb357", "semi-dark-blue": "#3274d9", "text": "#d8d9da",
          "transparent": "transparent"}
scales = {"short": (1000, ["", " K", " Mil", " Bil"]), "bytes": (1024, [" B", " KiB", " MiB", " GiB", " TiB"]),
          "Bps": (1000, [" B/s", " kB/s", " MB/s", " GB/s"]), "ops": (1000, [" ops/s", "K ops/s"])}


def shade(name):
    return shades.get(name, name)


def number(value, decimals=None):
    if decimals is None:
        decimals = 0 if value == int(value) or abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{decimals}f}"


def duration(seconds, decimals=None):
    size = abs(seconds)
    for limit, factor, name in ((1e-3, 1e6, " µs"), (1, 1e3, " ms"), (60, 1, " s"), (3600, 1 / 60, " mins"),
                                (86400, 1 / 3600, " hours"), (7 * 86400, 1 / 86400, " days")):
        if size < limit:
            return "0 s" if size == 0 else number(seconds * factor, decimals) + name
    return number(seconds / 7 / 86400, decimals) + " weeks"


def with_unit(value, unit, decimals, now):
    if unit == "percentunit":
        return number(value * 100, decimals) + "%"
    if unit.startswith("suffix:"):
        return number(value, decimals) + unit.removeprefix("suffix:")
    if unit == "s":
        return duration(value, decimals)
    if unit == "dateTimeFromNow":
        seconds = value / 1000 - now
        return f"in {duration(seconds, 0)}" if seconds > 0 else f"{duration(-seconds, 0)} ago"
    if unit.startswith("dateTime"):
        moment = datetime.datetime.fromtimestamp(value / 1000)
        today = moment.date() == datetime.datetime.fromtimestamp(now).date()
        return moment.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M:%S")
    base, names = scales.get(unit, scales["short"])
    index = 0
    while abs(value) >= base and index < len(names) - 1:
        value, index = value / base, index + 1
    return number(value, decimals) + names[index]


def by_threshold(value, config):
    """Colour of the step that a number lies in; text lies below all of them."""
    color = "text"
    for step in config.get("thresholds", {}).get("steps", ()):
        if step["value"] is None or (isinstance(value, float) and value >= step["value"]):
            color = step["color"]
    return shade(color)


def mapped(value, mappings):
    """(text, colour) of the first mapping that fits, or None."""
    key = number(value, 0) if isinstance(value, float) and value == int(value) else str(value)
    for mapping in mappings:
        if mapping["type"] == "value" and key in mapping["options"]:
            result = mapping["options"][key]
            return result["text"], result.get("color")
        if mapping["type"] == "regex" and isinstance(value, str):
            regex = mapping["options"]["pattern"].strip("/")
            if re.search(regex, value):
                result = mapping["options"]["result"]
                return re.sub(regex, result["text"].replace("$1", r"\1"), value), result.get("color")
    return None


def shown(value, config, now):
    """(text, colour) of a value with a field's configuration. None is what is not there."""
    if value is None:
        return config.get("noValue", ""), shade("text")
    found = mapped(value, config.get("mappings", ()))
    if found:
        return found[0], shade(found[1]) if found[1] else by_threshold(value, config)
    text = with_unit(value, config.get("unit", "short"), config.get("decimals"), now) if isinstance(value, float) else value
    return text, by_threshold(value, config)


def config_of(panel, name):
    """A field's configuration: the panel's, and what an override by name changes."""
    config = dict(panel["fieldConfig"]["defaults"])
    config["custom"] = dict(config.get("custom", {}))
    for override in panel["fieldConfig"]["overrides"]:
        if override["matcher"] == {"id": "byName", "options": name}:
            for one in override["properties"]:
                key = one["id"]
                if key.startswith("custom."):
                    config["custom"][key.removeprefix("custom.")] = one["value"]
                else:
                    config[key] = one["value"]
    return config
