"""What broke first, since when, and what to do: one look before all others."""
from generator import shared
from generator.board import Board
from generator.layers import do_first, in_lanes, in_order, layer_runbooks, state_of_layers, with_runbook
from generator.panels import (bars, column, green, looks, orange, pattern, query, red, sorted_by, stat, steps, table,
                              timeline, words)
from generator.promql import best, constant, lately, named, series

layer_count = best("layer_findings", "layer")


def layers_not_known():
    """How many layers were judged within the last seven days and are not any more."""
    return f"count(count by (layer) ({lately('layer_findings')})) - (count({layer_count}) or vector(0))"


def not_seen():
    """Something for each source that is not read, not read wholly, or not there any more."""
    one = "cluster, job, source, target"
    gone = f"(max by ({one}) ({lately('source_up')}) unless on ({one}) {series('source_up')})"
    return f"({series('source_up')} == 0) or ({series('source_parts_unread')} > 0) or {gone} or ({layers_not_known()} > 0)"


def verdict():
    judged = series("layer_findings")
    broken = f"min by (lane) ({in_lanes(f'({layer_count} > 0)')})"
    blind = constant(f"group({not_seen()})", "lane", "98 not known: something is not seen")
    fine = constant(f"group({judged})", "lane", "99 nothing broken")
    panel = stat(
        "Mend this layer first", "The first broken layer in walking order: a fault further on is often hidden or made by one before "
        "it. Says so when nothing is broken, and when it cannot know: a source that is not read, or only in part, or has gone within the last "
        "seven days.",
        [query(f"{broken}\nor {blind}\nor {fine}", table=True)], fields="/^lane$/", thresholds=steps(red),
        mappings=[pattern(r"/^99 (.*)$/", "$1", green, 0), pattern(r"/^98 (.*)$/", "$1", orange, 1),
                  pattern(r"/^\d+ (.*)$/", "$1", red, 2)],
        no_value="no data: does the exporter run?")
    return sorted_by(panel, "lane")


def layers_stat():
    return stat("Layers", "Broken: with a critical or warning finding. Not known: judged within the last seven days and not any more, "
                "because a source cannot be read.",
                [query(f"sum({layer_count} > bool 0)", "broken"), query(layers_not_known(), "not known")],
                thresholds=shared.none_is_good, no_value="no data")


def routes_stat():
    up = best("route_up", "host, path, object", function="min")
    return stat("Public routes", "Routes by whether every link of their chain holds. A route that cannot be judged is in neither number.",
                [query(f"sum({up} == bool 0)", "broken"), query(f"sum({up})", "working")],
                thresholds=shared.none_is_good, no_value="no data", links=[("Routes", "routes")]
                ).override_by_name("working", looks(thresholds=shared.enough))


def findings_stat():
    def count(severity):
        found = best("finding", "check, reason, kind, object", f'severity="{severity}"')
        return query(f"count({found}) or 0 * count({series('layer_findings')})", severity)
    return stat("Findings", "Objects that are wrong, by how much it hurts. Info findings are not counted.",
                [count("critical"), count("warning")], thresholds=shared.none_is_good, no_value="no data").override_by_name(
        "warning", looks(thresholds=steps(green, 1, orange)))


def retired_stat():
    retired = shared.dependents('retired="true"')
    return stat("Still on retired networks", "How many things depend on a network that was declared retired. 0 means that it can be "
                "switched off.", [query(f"sum({retired})")],
                thresholds=shared.none_is_good, no_value="none declared", links=[("Storage and networks", "storage")])


def age_stat():
    return stat("Age of what you see", "How long ago the newest findings were judged. In a replay: how long ago it was recorded.",
                [query(f"time() - max({series('snapshot_timestamp_seconds')})")], unit="s", thresholds=shared.age, no_value="no data",
                links=[("Exporter", "exporter")])


def order():
    return timeline(
        "What broke first", "One lane for each layer, in the order in which a visitor's request meets them. Red: a critical finding. "
        "Orange: a warning. Purple: it was judged within the last seven days and cannot be any more. No colour: never judged, its source is not configured.",
        [query(state_of_layers(), "{{lane}}")], shared.layer_words, no_value="no data")


def what_to_do(runbooks):
    by = "lane, severity, check, reason, do_first, runbook"

    def dressed(metric):
        checked = with_runbook(series(metric, 'severity=~"critical|warning"'))
        return in_order(f'label_replace({checked}, "do_first", "$1", "check", "(.*)")')
    # Several exporters may report one finding: each object once.
    objects = f"max by ({by}, kind, object) ({dressed('finding')})"
    return table(
        "What to do, from the top", "One row for each kind of fault; \"then\" marks what is mostly a consequence. Mend from the top: after each mended layer, look again. The exact "
        "command with all names is on the exporter's status page and in `shortcircuit-exporter check`.",
        [query(f"count by ({by}) ({objects})", table=True),
         query(f"1000 * min by ({by}) ({dressed('finding_since_timestamp_seconds')})", table=True)],
        [column("lane", "Layer", 175), column("severity", "Severity", 80, mappings=shared.severity_words, cell="color-text"),
         column("do_first", "Do this", mappings=[words(**{check: (text, "text") for check, text in do_first.items()})]),
         column("check", "Check", 215), column("reason", "Reason", 155),
         column("Value #A", "Objects", 70), column("Value #B", "Since", 155, unit=shared.since_unit),
         shared.runbook_column(runbooks, 80)],
        sort="Layer", no_value="no finding")


def routes_table(runbooks):
    route = "host, path, object"
    cause = named(in_lanes(series("route_cause")), "layer", "runbook", layer_runbooks)
    broken = f"0 * max by ({route}, lane, reason, runbook) ({cause})"
    return table(
        "Routes and what stops them", "Every public route. The cause is the first broken link in walking order; more may be broken "
        "behind it: see the dashboard Routes.",
        [query(f"({broken})\nor on ({route}) {best('route_up', route, function='min')}", table=True)],
        [column("host", "Host"), column("path", "Path", 70),
         column("Value", "State", 85, mappings=[words(v0=("broken", red), v1=("works", green))], cell="color-text"),
         column("lane", "Stopped by", 165), column("reason", "Reason", 165), column("object", "Leads to", 170),
         shared.runbook_column(runbooks, 80)],
        sort="State", no_value="no route", links=[("Routes", "routes")])


def ages():
    oldest = f"max by (source) ({series('snapshot_timestamp_seconds')} - on (cluster, job, instance) group_right () " \
             f"{series('source_last_success_timestamp_seconds')})"
    return bars("Data age by source", "Age of the oldest answer of each source when the newest findings were judged. Three missed polls, and "
                "what was judged from it leaves the metrics.",
                [query(oldest, "{{source}}", instant=True)], unit="s", thresholds=shared.age, highest=300,
                no_value="no data", links=[("Exporter", "exporter")])


def details():
    """One number from each of the other dashboards."""
    direct = shared.direct_share()
    to_date = best("linstor_resource_up_to_date", "resource, node_name", function="min")
    return [
        stat("Mesh: direct", "Share of active peers that are reached directly, over all views.", [query(direct)], unit="percentunit",
             thresholds=steps(red, 0.5, orange, 0.9, green), decimals=0, no_value="no active peer", links=[("Mesh", "mesh")]),
        stat("Mesh: most tunnels", "Most tunnels that one packet wears. WireGuard is one, the pod network inside it one more, an overlay "
             "below it one more.", [query(f"max({series('tailscale_peer_encapsulations')})")],
             thresholds=steps(green, 3, orange), no_value="not seen", links=[("Mesh", "mesh")]),
        stat("etcd: may still fail", "How many more voting members may fail before the quorum is lost. One or two members have none to lose.",
             shared.may_fail(), thresholds=shared.enough, no_value="not known", links=[("etcd", "etcd")]).override_by_name(
            shared.small_cluster, looks(thresholds=shared.not_negative)),
        stat("etcd: round trip budget", "Share of the budget (a tenth of the election timeout) that the slowest pair uses.",
             [query(f"max({series('etcd_round_trip_budget_ratio')})")], unit="percentunit",
             thresholds=steps(green, 0.7, orange, 1, red), decimals=1, no_value="not known", links=[("etcd", "etcd")]),
        stat("Storage: not up to date", "Replicas that are not UpToDate.", [query(f"sum({to_date} == bool 0)")],
             thresholds=shared.none_is_good, no_value="not known", links=[("Storage", "storage")]),
        stat("Sources down", "Targets whose last poll failed. What is judged from them is unknown after three.",
             [query(f"sum({best('source_up', 'source, target', function='min')} == bool 0)")],
             thresholds=shared.none_is_good, no_value="no data", links=[("Exporter", "exporter")])]


def build(runbooks):
    board = Board("overview", "ShortCircuit / Overview", "Which layers are broken, since when, and what to do first.")
    board.row(4, (6, verdict()), (4, layers_stat()), (4, routes_stat()), (4, findings_stat()), (3, retired_stat()), (3, age_stat()))
    board.row(10, (24, order()))
    board.row(11, (24, what_to_do(runbooks)))
    board.row(7, (17, routes_table(runbooks)), (7, ages()))
    board.row(3, *[(4, panel) for panel in details()])
    board.heading("Every finding")
    board.row(14, (24, shared.findings("Every finding", "All findings with their objects, info ones too.", runbooks)))
    return board.build()
