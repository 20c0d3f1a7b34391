"""The exporter itself: a monitor that is blind must not look like a healthy fleet."""
from generator import shared
from generator.board import Board
from generator.panels import bars, column, graph, green, orange, query, red, stat, steps, table, timeline
from generator.promql import best, process, rate, series

target = "source, target"


def stats():
    return [
        (4, stat("Sources down", "Targets whose last poll failed.", [query(f"sum({best('source_up', target, function='min')} == bool 0)")],
                 thresholds=shared.none_is_good, no_value="no data")),
        (4, stat("Sources", "Targets that are polled.", [query(f"count({best('source_up', target)})")], no_value="no data")),
        (4, stat("Snapshot age", "How long ago the newest findings were judged. In a replay: how long ago it was recorded.",
                 [query(f"time() - max({series('snapshot_timestamp_seconds')})")], unit="s", thresholds=shared.age, no_value="no data")),
        (4, stat("Configuration", "Whether the file was good the last time it was read. If not, the one before is still in use.",
                 [query(f"min({series('config_last_reload_successful')})")], mappings=shared.good_words,
                 thresholds=shared.enough, no_value="no data")),
        (4, stat("Families cut off", "Metric families that left out series because they hit the limit. What is cut off is not seen.",
                 [query(f"sum({series('series_limited')}) or 0 * count({series('build_info')})")],
                 thresholds=shared.none_is_good, no_value="no data")),
        (4, stat("Exporters", "Exporters that Prometheus reads.", [query(f"count({series('build_info')})")],
                 thresholds=shared.enough, no_value="none"))]


def failures():
    failed = f"sum by ({target}, reason) (increase({series('source_poll_failures_total')}[$__rate_interval])) > 0"
    return graph("Failed polls by reason", "auth means the key or certificate, tls the CA, schema an answer of another shape than expected.",
                 [query(failed, "{{source}} {{target}}: {{reason}}")], no_value="no failure")


def source_table():
    age = f"max by (instance, {target}) ({series('snapshot_timestamp_seconds')} - on (cluster, job, instance) group_right () " \
          f"{series('source_last_success_timestamp_seconds')})"
    by = f"instance, {target}"
    return table("Sources", "Every target: whether the last poll worked, how old its last good answer was when the findings were judged, how "
                 "long a poll takes, how many of its parts could not be read, and whether any certificate is accepted for it.",
                 [query(best("source_up", by, function="min"), table=True), query(age, table=True),
                  query(best("source_poll_duration_seconds", by), table=True), query(best("source_parts_unread", by), table=True),
                  query(best("source_accepts_any_certificate", by), table=True)],
                 [column("source", "Source", 110), column("target", "Target"), column("instance", "Exporter", 170),
                  column("Value #A", "Last poll", 95, mappings=shared.up_words, cell="color-text"),
                  column("Value #B", "Age", 95, unit="s", thresholds=shared.age, cell="color-text"),
                  column("Value #C", "Duration", 95, unit="s"),
                  column("Value #D", "Unread", 75, thresholds=shared.none_is_good, cell="color-text"),
                  column("Value #E", "Any cert.", 85, thresholds=shared.none_is_good, cell="color-text")], sort="Source", no_value="no data")


def processes():
    memory, start = process("resident_memory_bytes"), process("start_time_seconds")
    cpu = f"sum by (instance) (rate({process('cpu_seconds_total')}[$__rate_interval]))"
    files = f"max by (instance) ({process('open_fds')} / {process('max_fds')})"
    return [
        (5, graph("CPU", "Share of one core.", [query(cpu, "{{instance}}")], unit="percentunit", no_value="no data")),
        (5, graph("Memory", "Resident memory, beside all that is mapped.",
                  [query(f"max by (instance) ({memory})", "{{instance}}"),
                   query(f"max by (instance) ({process('virtual_memory_bytes')})", "{{instance}} mapped")], unit="bytes", no_value="no data")),
        (5, graph("Threads and open files", "Both stay flat in a healthy exporter.",
                  [query(f"max by (instance) ({process('threads')})", "{{instance}} threads"), query(f"max by (instance) ({process('open_fds')})", "{{instance}} files")],
                  no_value="no data")),
        (9, table("Version and start", "What runs where, since when, when its configuration was last read, and the share of the files it may open.",
                  [query(best("build_info", "instance, version, revision"), table=True),
                   query(f"1000 * max by (instance) ({start})", table=True),
                   query(f"1000 * max by (instance) ({series('config_last_reload_success_timestamp_seconds')})", table=True), query(files, table=True)],
                  [column("instance", "Exporter"), column("version", "Version", 70), column("revision", "Revision", 80),
                   column("Value #B", "Started", 85, unit=shared.since_unit), column("Value #C", "Configured", 90, unit=shared.since_unit),
                   column("Value #D", "Files", 65, unit="percentunit", decimals=1)],
                  hidden=("Value #A",), sort="Exporter", no_value="no data"))]


def build(runbooks):
    board = Board("exporter", "ShortCircuit / Exporter", "Does the exporter see everything it should, how fast, at what cost?")
    board.variable("source", "Source", "Kinds of upstreams.", "source_up")
    chosen = 'source=~"$source"'
    board.row(4, *stats())
    board.row(10, (12, timeline("Sources over time", "One lane for each target. A gap: not reported, its exporter was away.",
                                [query(best("source_up", target, chosen, "min"), "{{source}} {{target}}")], shared.up_words,
                                no_value="no data").per_page(20)),
              (12, source_table()))
    board.row(8, (12, failures()),
              (12, bars("How long a poll takes", "Last poll of each target, also when it failed. The time limit is 5 s unless configured.",
                        [query(f"topk(12, {best('source_poll_duration_seconds', target, chosen)})", "{{source}} {{target}}", instant=True)],
                        unit="s", thresholds=steps(green, 2, orange, 5, red), no_value="no data")))
    board.row(7, (12, graph("Polls", "Polls per second of each kind of source.", [query(rate("source_polls_total", "source", chosen), "{{source}}")],
                            unit="ops", no_value="no data")),
              (12, graph("Bytes read", "Decoded bytes of answers per second: the load that the exporter puts on each upstream.",
                         [query(rate("source_received_bytes_total", "source", chosen), "{{source}}")], unit="Bps", no_value="no data")))
    board.heading("Process")
    board.row(7, *processes())
    return board.build()
