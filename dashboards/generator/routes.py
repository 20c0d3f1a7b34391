"""Public routes: which link of which chain is broken, and the pieces the chains are made of."""
from generator import shared
from generator.board import Board
from generator.panels import (column, graph, green, grey, looks, query, red, stat, steps, table, timeline, words)
from generator.promql import best, recorded, series

route = "host, path, object"
chosen = 'host=~"$host"'
# In walking order, as the exporter names them.
links = ["entry", "router", "external_name", "middleware", "service", "port", "endpoints"]
route_layers = "load_balancer|external_name|middleware|endpoint_address|endpoint_port|proxy_chain|backend"
route_up = best("route_up", route, chosen, "min")


def stats():
    def traefik(kind):
        return stat(f"Traefik: {kind}", f"HTTP {kind} that Traefik itself calls disabled or warns about, of its own account.",
                    [query(f"sum({best('traefik_' + kind, 'status', status)})", name)
                     for name, status in (("disabled", 'status="disabled"'), ("warning", 'status="warning"'))],
                    thresholds=shared.none_is_good, no_value="not read")
    stale = best("endpoint_addresses", "object, state", 'state="stale"')
    return [
        (5, stat("Routes", "Routes by whether every link holds. One that cannot be judged is in neither number.",
                 [query(f"sum({route_up} == bool 0)", "broken"), query(f"sum({route_up})", "working")],
                 thresholds=shared.none_is_good, no_value="no data").override_by_name(
            "working", looks(thresholds=shared.enough))),
        (4, stat("Entry addresses uncovered", "Addresses that visitors are sent to and where no ready load balancer answers.",
                 [query(f"sum({best('kubernetes_entry_covered', 'address', function='min')} == bool 0)")],
                 thresholds=shared.none_is_good, no_value="none known")),
        (3, stat("Stale addresses", "Addresses in endpoints kept by hand that are known to lead nowhere.", [query(f"sum({stale})")],
                 thresholds=shared.none_is_good, no_value="none kept by hand")),
        (4, traefik("routers")), (4, traefik("services")), (4, traefik("middlewares"))]


def chains():
    def state(link):
        broken = best("route_link_broken", route, f'{chosen}, link="{link}"')
        return query(f"{broken} or on ({route}) 0 * {route_up}", table=True)
    word = [words(v0=("no fault", grey), v1=("BROKEN", red))]
    return table(
        "Chains", "Every link of every route, judged by itself and in walking order, so that one look shows all that is broken. "
        "\"no fault\" is not a proof: a link that the route does not have, or that could not be judged, says so too.",
        [query(route_up, table=True), *[state(link) for link in links]],
        [column("host", "Host"), column("path", "Path", 80), column("object", "Leads to", 200),
         column("Value #A", "Route", 90, mappings=[words(v0=("broken", red), v1=("works", green))], cell="color-text"),
         *[column(f"Value #{ref}", link.replace("_", " "), 115, mappings=word, cell="color-text")
           for ref, link in zip("BCDEFGH", links)]],
        sort="Host", no_value="no route")


def broken_links():
    broken = best("route_link_broken", f"{route}, link, reason", chosen)
    return table("Broken links and why", "Each broken link with its reason. The first in walking order is the route's cause.",
                 [query(broken, table=True)],
                 [column("host", "Host"), column("path", "Path", 80), column("link", "Link", 130), column("reason", "Reason", 190),
                  column("object", "Leads to", 200)], hidden=("Value",), sort="Host", no_value="no broken link")


def endpoints():
    def state(name):
        return query(best("endpoint_addresses", "object", f'state="{name}"'), table=True)
    return table("Endpoints kept by hand", "Addresses of Services without a selector. Live: a node, an online peer, or in a network that was "
                 "declared live. Unknown: in no known network; a fact, not a fault.",
                 [state("live"), state("stale"), state("unknown")],
                 [column("object", "Service"), column("Value #A", "live", 80),
                  column("Value #B", "stale", 80, thresholds=steps("text", 1, red), cell="color-text"),
                  column("Value #C", "unknown", 90)], sort="stale", descending=True, no_value="none kept by hand")


def stale_addresses():
    since = best("endpoint_address_stale_since_timestamp_seconds", "object, address, reason", function="min")
    return table("Stale addresses", "Which addresses, why, and since when as far as the exporter saw.",
                 [query(f"1000 * {since}", table=True)],
                 [column("object", "Service"), column("address", "Address", 150), column("reason", "Reason", 150),
                  column("Value", "Since", 170, unit=shared.since_unit)], sort="Service", no_value="no stale address")


def traefik_history():
    version = stat("Traefik", "Version that answers.", [query(best("traefik_info", "version"), table=True)], fields="/^version$/",
                   no_value="not read")
    return [(3, version)] + [(7, graph(f"Traefik {kind} by status", f"HTTP {kind} as Traefik counts them, without those of its own.",
                      [query(best(f"traefik_{kind}", "status"), "{{status}}")], stacked=True, no_value="not read"))
            for kind in ("routers", "services", "middlewares")]


def probes():
    works = [words(v1=("works", green), v0=("fails", red))]
    return [
        (8, timeline("Probes", "Requests that the configuration asks for, through their proxies: a whole answer below 500, and not 404 where the URL is configured.",
                     [query(best("probe_success", "probe", function="min"), "{{probe}}")], works, no_value="no probe configured")),
        (8, graph("Time of a probe", "How long each probe took.", [query(best("probe_duration_seconds", "probe"), "{{probe}}")],
                  unit="s", no_value="no probe configured")),
        (8, table("Answers of probes", "HTTP status, and whether the answer began and then stalled: the sign of a low path MTU; and whether nothing else that is judged says why it fails.",
                  [query(best("probe_http_status_code", "probe"), table=True), query(best("probe_stalled", "probe"), table=True),
                   query(best("probe_unexplained", "probe"), table=True)],
                  [column("probe", "Probe"), column("Value #A", "HTTP status", 110),
                   column("Value #B", "stalled", 100, mappings=[words(v0=("no", green), v1=("yes", red))], cell="color-text"),
                   column("Value #C", "fails unexplained", 140, mappings=[words(v0=("no", green), v1=("yes", red))], cell="color-text")],
                  sort="Probe", no_value="no probe configured"))]


def build(runbooks):
    board = Board("routes", "ShortCircuit / Routes", "Every public host name and the chain behind it.")
    # A route without a host is every host's: All must not leave it out.
    board.variable("host", "Host", "Public host names.", "route_up", all_value=".*")
    board.row(4, *stats())
    board.row(7, (24, chains()))
    board.row(8, (12, timeline(
        "Routes over time", "One lane for each route. A gap: it could not be judged.", [query(route_up, "{{host}}{{path}}")],
        [words(v1=("works", green), v0=("broken", red))], no_value="no route")),
        (12, graph("Broken links by kind", "How many routes have this link broken. Mended from the top, layer by layer, it goes down in steps.",
                   [query(f"count by (link) ({best('route_link_broken', route + ', link', chosen)})", "{{link}}")], stacked=True,
                   no_value="no broken link")))
    board.row(7, (24, broken_links()))
    board.row(6, (12, endpoints()), (12, stale_addresses()))
    board.row(7, (12, timeline("Entry addresses", "Addresses that visitors are sent to: does a ready load balancer answer there?",
                               [query(best("kubernetes_entry_covered", "address", function="min"), "{{address}}")],
                               [words(v1=("covered", green), v0=("NOT covered", red))], no_value="none known")),
              (12, graph("Share of routes that work, long view", "From the recorded series, cheap over weeks. Needs the recording rules of this "
                         "project.", [query(recorded("fleet:shortcircuit_route_up:ratio"), "working")], unit="percentunit",
                         thresholds=steps(red, 1, green), highest=1, no_value="no recording rules, or no route")))
    board.heading("Traefik's own account")
    board.row(7, *traefik_history())
    board.heading("Probes")
    board.row(7, *probes())
    board.heading("Findings on the way of a route")
    board.row(10, (24, shared.findings("Findings on the way of a route", "Findings of the layers that a request passes.", runbooks,
                                       f'layer=~"{route_layers}"')))
    return board.build()
