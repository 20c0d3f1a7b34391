"""Storage, and the networks that carry something: what would break if one of them went away?"""
from generator import shared
from generator.board import Board
from generator.panels import bars, column, graph, green, matrix, orange, query, red, stat, steps, table, timeline, words
from generator.promql import best, named, recorded, series

replica = "resource, node_name"
retired_in_use = recorded("network:shortcircuit_retired_network_dependents:sum")


def stats():
    retired = shared.dependents('retired="true"')
    offline = best("linstor_node_online", "node_name", function="min")
    behind = best("linstor_resource_up_to_date", replica, function="min")
    tunnelled = best("linstor_replication_network", "resource, from, peer, network", 'kind=~"overlay|tailnet"')
    missing = best("webhook_present", "object", function="min")
    return [
        (4, stat("Still on retired networks", "Things that depend on a network that was declared retired. 0: it can be switched off.",
                 [query(f"sum({retired})")], thresholds=shared.none_is_good, no_value="none declared")),
        (4, stat("Satellites offline", "LINSTOR nodes to which the controller has no connection.", [query(f"sum({offline} == bool 0)")],
                 thresholds=shared.none_is_good, no_value="not known")),
        (4, stat("Replicas not up to date", "Replicas of which a volume is not UpToDate.", [query(f"sum({behind} == bool 0)")],
                 thresholds=shared.none_is_good, no_value="not known")),
        (4, stat("Replication over tunnels", "Directed pairs that replicate over a tailnet or overlay. Between sites that may be meant; within "
                 "one it is a finding.", [query(f"count({tunnelled}) or 0 * count({series('linstor_replication_network')})")],
                 thresholds=steps(green, 1, orange), no_value="not known")),
        (4, stat("Webhooks missing", "Admission webhook configurations that should exist and do not.", [query(f"sum({missing} == bool 0)")],
                 thresholds=shared.none_is_good, no_value="none expected")),
        (4, stat("Error reports", "Reports that the LINSTOR controller holds.", [query(f"max({series('linstor_error_reports')})")],
                 thresholds=steps(green, 1, orange), no_value="not known"))]


def dependents():
    counted = named(shared.dependents(by="network, retired, dependency"), "retired", "note", {"true": " (retired)"})
    counted = f'label_join({counted}, "network", "", "network", "note")'
    return matrix("Load-bearing networks", "Rows: networks. Columns: what depends on an address in them. A retired network must be a row of zeros "
                  "before it is switched off.", f"max by (network, dependency) ({counted})", "network", "dependency",
                  thresholds=steps("transparent", 1, "semi-dark-blue"), width=150, no_value="no data")


def webhooks():
    ready = best("webhook_backend_ready", "object", function="min")
    expiry = f"1000 * {best('webhook_certificate_expiry_timestamp_seconds', 'object', function='min')}"
    return table("Admission webhooks", "Whether the configuration exists, whether a ready pod is behind it, and when its CA ends. A webhook that is gone "
                 "refuses nothing and says nothing.",
                 [query(best("webhook_present", "object", function="min"), table=True), query(ready, table=True), query(expiry, table=True)],
                 [column("object", "Configuration"),
                  column("Value #A", "Exists", 80, mappings=[words(v1=("yes", green), v0=("NO", red))], cell="color-text"),
                  column("Value #B", "Answered", 90, mappings=[words(v1=("yes", green), v0=("NO", red))], cell="color-text"),
                  column("Value #C", "CA ends", 130, unit="dateTimeFromNow")], sort="Exists", no_value="none expected")


def replication():
    pairs = series("linstor_replication_network")
    return [
        (10, graph("Replication by network", "Directed pairs of replicas by the network of the address that they use.",
                   [query(f"count by (network, kind) ({best('linstor_replication_network', 'resource, from, peer, network, kind')})",
                          "{{network}} ({{kind}})")], stacked=True, no_value="not known")),
        (14, table("Replication, pair by pair", "The network by which a node takes part in the replication with its peer.",
                   [query(f"max by (resource, from, peer, network, kind) ({pairs})", table=True)],
                   [column("resource", "Resource"), column("from", "From", 150), column("peer", "Peer", 150), column("network", "Network", 110),
                    column("kind", "Kind", 90, mappings=[words(lan=("lan", green), tailnet=("tailnet", orange), overlay=("overlay", red))],
                           cell="color-text")], hidden=("Value",), sort="Resource", no_value="not known"))]


def states():
    return [
        (8, timeline("Satellites", "Connection of the controller to each node.",
                     [query(best("linstor_node_online", "node_name", function="min"), "{{node_name}}")], shared.up_words, no_value="not known")),
        (16, timeline("Replicas", "Whether every volume of a replica is UpToDate. Only replicas with a disk whose state is known.",
                      [query(best("linstor_resource_up_to_date", replica, function="min"), "{{resource}} on {{node_name}}")],
                      [words(v1=("UpToDate", green), v0=("behind", red))], no_value="not known").per_page(20))]


def pools():
    free = best("linstor_storage_pool_free_bytes", "pool, node_name")
    capacity = best("linstor_storage_pool_capacity_bytes", "pool, node_name")
    return [
        (12, bars("Storage pools", "Used share of each pool.", [query(f"1 - {free} / ({capacity} > 0)", "{{node_name}} {{pool}}", instant=True)],
                  unit="percentunit", highest=1, thresholds=steps(green, 0.8, orange, 0.9, red), no_value="not known")),
        (12, graph("Free space", "Free bytes of each pool.", [query(free, "{{node_name}} {{pool}}")], unit="bytes", no_value="not known"))]


def build(runbooks):
    board = Board("storage", "ShortCircuit / Storage and networks", "Replication, LINSTOR, webhooks, and which networks are load-bearing.")
    board.row(4, *stats())
    board.row(9, (16, dependents()), (8, graph(
        "Leaving the retired networks", "What still depends on each, over time. From the recorded series.",
        [query(retired_in_use, "{{network}}")], thresholds=steps(green, 1, red), no_value="none declared, or no recording rules")))
    board.row(8, *replication())
    board.row(8, *states())
    board.row(7, *pools())
    board.row(6, (24, webhooks()))
    board.heading("Findings")
    board.row(9, (24, shared.findings("Findings of storage and webhooks", "What is wrong with storage and what guards it.", runbooks,
                                      'layer=~"storage|webhook"')))
    return board.build()
