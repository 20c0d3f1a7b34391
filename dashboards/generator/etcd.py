"""etcd: is it the way between the members, or the disk?"""
from generator import shared
from generator.board import Board
from generator.panels import (bars, column, graph, green, looks, orange, prose, purple, query, red, stat, steps, table,
                              timeline, words)
from generator.promql import best, coded, recorded, series

chosen = 'member=~"$member"'
pair = "member, peer"
worst_share = f"max({series('etcd_round_trip_budget_ratio')})"
leader_changes = recorded("fleet:shortcircuit_etcd_leader_changes:increase10m")

suspects = """**Leader changes come from a member that is silent for an election timeout. Two suspects:**

| | the way between members | the disk |
|---|---|---|
| seen here | round trip budget used up (above 100 %) | budget mostly free, and leaders still change |
| proof | round trips of *pairs*, not of all | `etcd_disk_wal_fsync_duration_seconds`, 99 % above 10 ms |
| cure | longer timers, or mend the path | faster disk, less load beside it; look at CPU steal too |

The exporter does not read the disk's latency. The panel on the right shows it if your Prometheus scrapes etcd itself."""


def suspect():
    changes = f"max({leader_changes})"
    return stat("Suspect", "Leader changes of the last ten minutes against the round trip budget. Disk, CPU or loss: leaders change while the "
                "round trips are well within the budget. Needs the recording rules.",
                [query(coded([(1, f"({worst_share} > 1)"), (2, f"(({changes} > 2) and ({worst_share} <= 1))"),
                              (0, worst_share)]))],
                mappings=[words(v0=("none", green), v1=("round trip", red), v2=("disk, CPU, loss", orange))],
                thresholds=steps(green), no_value="not known")


def stats():
    return [
        (4, stat("May still fail", "How many more voting members may fail before the quorum is lost. Negative: it is lost. One or two members "
                 "have none to lose.", shared.may_fail(), thresholds=shared.enough, no_value="not known").override_by_name(
            shared.small_cluster, looks(thresholds=shared.not_negative))),
        (4, stat("Members", "Members that answered the last poll, and how many vote.",
                 [query(f"sum({best('etcd_member_up', 'member')})", "up"), query(f"max({series('etcd_members')})", "voting")],
                 no_value="not known")),
        (4, stat("Slowest pair", "The longest mean round trip of the last ten minutes.",
                 [query(f"max({series('etcd_peer_round_trip_seconds')})")], unit="s", no_value="not known")),
        (4, stat("Budget used", "Share of a tenth of the election timeout that the slowest pair uses. Above 100 % leaders get lost.",
                 [query(worst_share)], unit="percentunit", decimals=1, thresholds=steps(green, 0.7, orange, 1, red),
                 no_value="not known")),
        (4, stat("Leader changes, 10 min", "The largest count that a member saw. From the recorded series.",
                 [query(f"max({leader_changes})")], decimals=0, thresholds=steps(green, 1, orange, 3, red),
                 no_value="no recording rules")),
        (4, suspect())]


def round_trips():
    budget = f"max({series('etcd_election_timeout_seconds')}) / 10"
    heartbeat = f"max({series('etcd_heartbeat_interval_seconds')})"
    return graph("Round trip of each pair", "Mean of the last ten minutes, as the members themselves measure it, beside the two limits that the "
                 "timers set: a tenth of the election timeout, and the heartbeat interval.",
                 [query(best("etcd_peer_round_trip_seconds", pair, chosen), "{{member}} → {{peer}}"),
                  query(budget, "budget: election timeout / 10"), query(heartbeat, "heartbeat interval")],
                 unit="s", no_value="not known")


def budget_table():
    return table("Pairs by budget", "Every pair in both directions. The far members are the ones to move, or to give longer timers.",
                 [query(best("etcd_peer_round_trip_seconds", pair, chosen), table=True),
                  query(best("etcd_round_trip_budget_ratio", pair, chosen), table=True)],
                 [column("member", "Member"), column("peer", "Peer"), column("Value #A", "Round trip", 110, unit="s", decimals=2),
                  column("Value #B", "Budget used", 120, unit="percentunit", decimals=1,
                         thresholds=steps(green, 0.7, orange, 1, red), cell="color-text")],
                 sort="Budget used", descending=True, no_value="not known")


def member_states():
    up = best("etcd_member_up", "member", chosen, "min")
    leader = best("etcd_has_leader", "member", chosen, "min")
    return timeline("Members over time", "Answers and knows a leader. A gap: the exporter itself is at fault (credentials, certificates).",
                    [query(coded([(2, f"({leader} == 0)"), (3, f"({up} == 0)"), (1, up)]), "{{member}}")],
                    [words(v1=("answers", green), v2=("no leader", red), v3=("no answer", purple))], no_value="not known")


def fsync():
    buckets = 'etcd_disk_wal_fsync_duration_seconds_bucket{cluster=~"$cluster"}'
    return graph("The other suspect: disk", "99 % of the write-ahead log's syncs are faster than this. etcd's own metric, not the exporter's: empty "
                 "unless your Prometheus scrapes etcd.",
                 [query(f"histogram_quantile(0.99, sum by (instance, le) (rate({buckets}[$__rate_interval])))", "{{instance}}")],
                 unit="s", thresholds=steps(green, 0.01, red), limit_line=True, no_value="etcd itself is not scraped")


def build(runbooks):
    board = Board("etcd", "ShortCircuit / etcd", "Round trips against the timers, leaders, quorum, and the disk as the other suspect.")
    board.variable("member", "Member", "etcd members.", "etcd_member_up")
    board.row(4, *stats())
    board.row(9, (14, round_trips()), (10, budget_table()))
    board.row(8, (12, member_states()),
              (12, graph("Leader changes", "Increase over ten minutes, the largest that a member saw, from the recorded series; and each member's "
                         "own count as it happens.",
                         [query(leader_changes, "changes in 10 min"),
                          query(f"max by (member) (increase({series('etcd_leader_changes_total', chosen)}[$__rate_interval]))", "{{member}}")],
                         thresholds=steps(green, 3, red), limit_line=True,
                         no_value="no recording rules")))
    board.row(8, (12, prose("Which suspect?", "How to tell a slow path from a slow disk.", suspects)), (12, fsync()))
    board.row(8, (12, graph("Budget used over time", "Share of the budget that each pair uses. Above the line, leaders get lost.",
                            [query(best("etcd_round_trip_budget_ratio", pair, chosen), "{{member}} → {{peer}}")],
                            unit="percentunit", thresholds=steps(green, 1, red), limit_line=True, no_value="not known")),
              (12, bars("Database by quota", "Share of its quota that each member's database uses. At 100 % it refuses writes.",
                        [query(f"{best('etcd_database_bytes', 'member', chosen)} / {best('etcd_database_quota_bytes', 'member', chosen)}",
                               "{{member}}", instant=True)], unit="percentunit", highest=1,
                        thresholds=steps(green, 0.8, orange, 0.95, red), no_value="not known")))
    board.heading("Findings")
    board.row(7, (24, shared.findings("Findings of etcd", "What is wrong with etcd, and what is worth knowing.", runbooks, 'layer="etcd"')))
    return board.build()
