"""Words, colours and tables that more than one dashboard shows."""
from generator import layers
from generator.panels import (blue, column, green, grey, orange, pattern, purple, query, red, steps, table, words)
from generator.promql import best, series

layer_words = [words(vm1=("unknown", purple), v0=("fine", green), v1=("warning", orange), v2=("critical", red))]
severity_words = [words(critical=("critical", red), warning=("warning", orange), info=("info", blue))]
good_words = [words(v1=("good", green), v0=("wrong, the old one is in use", red))]
up_words = [words(v1=("up", green), v0=("down", red))]
path_words = {"1": ("LAN", green), "2": ("internet", "light-green"), "3": ("other", blue), "4": ("idle", grey),
              "5": ("tunnel", orange), "6": ("retired", red), "7": ("relay", "yellow"), "8": ("DERP", "light-orange"),
              "9": ("offline", purple)}
enough = steps(red, 1, green)
not_negative = steps(red, 0, blue)
none_is_good = steps(green, 1, red)
age = steps(green, 120, orange, 300, red)



def direct_share(matchers=""):
    """Share of the active peers that are reached directly. Idle peers have no path, so they do not count."""
    extra = f", {matchers}" if matchers else ""
    direct = best("tailscale_peers", "from, path", f'path="direct"{extra}')
    active = best("tailscale_peers", "from, path", f'path=~"direct|derp|peer_relay"{extra}')
    return f"sum({direct}) / (sum({active}) > 0)"


def dependents(matchers="", by="network, dependency"):
    """How many things depend on a network. A node's paths are seen by its own instance alone, so they add up; all else every exporter sees alike."""
    def counted(kind):
        return series("network_dependents", f'{matchers}{", " if matchers else ""}dependency{kind}"tailscale_path"')
    return f"(sum by ({by}) (max by ({by}, node) ({counted('=')})) or max by ({by}) ({counted('!=')}))"


def may_fail():
    """Queries of a stat: two members or one have no margin by design, and that is red only when the quorum is lost."""
    margin, members = (f"{how} by (cluster) ({series(name)})" for how, name in (("min", "etcd_quorum_margin"), ("max", "etcd_members")))
    return [query(f"min({margin} and on (cluster) ({members} > 2))", "of three or more"),
            query(f"min({margin} and on (cluster) ({members} <= 2))", small_cluster)]


small_cluster = "of one or two"
runbook_link = "{runbooks}/shortcircuit${{__value.raw}}.md"
since_unit = "dateTimeAsIsoNoDateIfToday"


def runbook_column(runbooks, width=90):
    return column("runbook", "Runbook", width, mappings=[pattern("/^.+$/", "open")], cell="color-text",
                  link=("Runbook", runbook_link.format(runbooks=runbooks)))


def findings(title, description, runbooks, matchers="", lane=True, **more):
    """Every finding, one row each, oldest first within its layer."""
    since = layers.in_lanes(layers.with_runbook(series("finding_since_timestamp_seconds", matchers)))
    by = "lane, severity, check, reason, kind, object, runbook"
    first = [column("lane", "Layer", 170)] if lane else []
    return table(title, description, [query(f"1000 * min by ({by}) ({since})", table=True)], [
        *first, column("severity", "Severity", 90, mappings=severity_words, cell="color-text"),
        column("check", "Check", 230), column("reason", "Reason", 170), column("kind", "Kind", 160),
        column("object", "Object"), column("Value", "Since", 170, unit=since_unit), runbook_column(runbooks)],
        hidden=() if lane else ("lane",), sort="Layer" if lane else "Check", no_value="no finding", **more)
