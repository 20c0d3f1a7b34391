"""The tailnet: by which path each node reaches each other, and what lies under that path."""
from generator import shared
from generator.board import Board
from generator.panels import (bars, column, graph, green, grey, matrix, orange, query, red, stat, steps, table, timeline, words)
from generator.promql import best, coded, rate, recorded, series

chosen = 'from=~"$from", peer=~"$peer"'
view = 'from=~"$from"'
pair = "from, peer"


def underlay(matchers=""):
    """Directed pairs with the network that their direct path runs over, each once."""
    return f"max by ({pair}, network, kind) ({series('tailscale_peer_underlay', chosen + matchers)}) == 1"


def path_class():
    """Class of each directed pair as the numbers of shared.path_words; for direct paths the network below decides."""
    def path(name):
        return f"max by ({pair}) ({series('tailscale_peer_path', f'{chosen}, path={name}')} == 1)"

    def below(kind):
        return series("tailscale_peer_underlay", f"{chosen}, kind{kind}") + " == 1"
    retired = series("network_dependents", 'retired="true"')
    on_retired = f'max by ({pair}) (({below("!=" + chr(34) * 2)}) and on (network) {retired})'
    return coded([
        (6, on_retired), (5, f"max by ({pair}) ({below('=' + quoted('overlay'))})"),
        (1, f"max by ({pair}) ({below('=' + quoted('lan'))})"), (2, f"max by ({pair}) ({below('=' + quoted('public'))})"),
        (3, path(quoted("direct"))), (7, path(quoted("peer_relay"))), (8, path(quoted("derp"))),
        (4, path(quoted("idle"))), (9, path(quoted("offline")))])


def quoted(text):
    return f'"{text}"'


path_mapping = [words(**{f"v{number}": name for number, name in shared.path_words.items()})]


def stats():
    peers = best("tailscale_peers", "from, path", f'{view}, path=~"derp|peer_relay"')
    nested = f"count({underlay(', kind=' + quoted('overlay'))})"
    by_bytes = recorded("fleet:shortcircuit_tailscale_direct_bytes:ratio_rate10m")
    good_share = steps(red, 0.5, orange, 0.9, green)
    return [
        (4, stat("Direct, by peers", "Share of active peers that are reached directly, over all views. Idle peers have no path.",
                 [query(shared.direct_share(view))], unit="percentunit", decimals=0, thresholds=good_share, no_value="no active peer")),
        (4, stat("Direct, by bytes", "Share of the tailnet's bytes of the last ten minutes that went over direct paths. From the recorded series; "
                 "none while nothing is sent.", [query(f"max({by_bytes})")], unit="percentunit", decimals=0, thresholds=good_share,
                 no_value="nothing sent")),
        (4, stat("Relayed paths", "Directed pairs whose active traffic goes through DERP or another peer.", [query(f"sum({peers})")],
                 thresholds=steps(green, 1, orange), no_value="no data")),
        (4, stat("Tunnels in tunnels", "Directed pairs whose direct path runs over another overlay.",
                 [query(f"{nested} or 0 * count({series('tailscale_running', view)})")], thresholds=steps(green, 1, orange),
                 no_value="no data")),
        (4, stat("tailscaled stopped", "Nodes whose tailscaled is not in the state Running.",
                 [query(f"sum({best('tailscale_running', 'from', view, 'min')} == bool 0)")], thresholds=shared.none_is_good,
                 no_value="no data")),
        (4, stat("Nodes not Ready", "Kubernetes nodes that are not Ready: the first thing to know when peers are offline.",
                 [query(f"sum({best('kubernetes_node_ready', 'node_name', function='min')} == bool 0)")],
                 thresholds=shared.none_is_good, no_value="not read"))]


def peer_matrix():
    return matrix(
        "Who reaches whom, and over what", "Rows look, columns are looked at. LAN and internet: direct. tunnel: direct by name, but over another overlay. "
        "retired: over a network that was declared retired. relay, DERP: not direct. idle: no traffic, so no path; not a fault.",
        path_class(), "from", "peer", mappings=path_mapping, width=140, no_value="")


def underlays():
    below = f"count by (network, kind) ({underlay()})"
    return graph("Direct paths by the network below", "How many directed pairs run over each network. Retiring an overlay is done when its band is gone.",
                 [query(below, "{{network}} ({{kind}})")], stacked=True, no_value="no direct path")


def nested_table():
    return table("Tunnels in tunnels", "Nodes whose tailnet paths run over another overlay, and how many.",
                 [query(f"count by (from, network) ({underlay(', kind=' + quoted('overlay'))})", table=True)],
                 [column("from", "Node"), column("network", "Runs over", 130), column("Value", "Paths", 80)],
                 sort="Paths", descending=True, no_value="none")


def changed_paths():
    networks = f"max by ({pair}, network) (last_over_time({series('tailscale_peer_underlay', chosen)}[$__range]))"
    several = f"(count by ({pair}) ({networks}) > 1)"
    moved = f"(sum by ({pair}) (changes({series('tailscale_peer_path', chosen)}[$__range])) > 0)"
    return timeline("Paths that changed", "Only pairs whose class or network changed within the time shown.",
                    [query(f"({path_class()})\nand on ({pair}) ({several} or {moved})", "{{from}} → {{peer}}")], path_mapping,
                    no_value="no path changed").per_page(15)


def headscale():
    last_seen = f"1000 * {best('headscale_node_last_seen_timestamp_seconds', 'peer')}"
    expiry = f"1000 * {best('headscale_node_expiry_timestamp_seconds', 'peer', function='min')}"
    return [
        (6, graph("Headscale nodes", "Nodes by state, as the control server sees them.",
                  [query(best("headscale_nodes", "state"), "{{state}}")], stacked=True, no_value="not read")),
        (10, table("Nodes at the control server", "Online, last connected or disconnected (not updated while it stays online), end of the key.",
                   [query(best("headscale_node_online", "peer", 'peer=~"$peer"', "min"), table=True), query(last_seen, table=True),
                    query(expiry, table=True)],
                   [column("peer", "Node"), column("Value #A", "State", 90, mappings=[words(v1=("online", green), v0=("offline", grey))], cell="color-text"),
                    column("Value #B", "Last change", 160, unit="dateTimeFromNow"), column("Value #C", "Key ends", 140, unit="dateTimeFromNow")],
                   sort="State", no_value="not read")),
        (8, table("Keys that run out", "Keys with an end: the nodes' own keys as their tailscaled says, and the exporter's API key at the control server.",
                  [query(f"1000 * (label_replace({best('tailscale_key_expiry_timestamp_seconds', 'from', view, 'min')}, \"key\", \"node $1\", \"from\", \"(.*)\")\n"
                         f"or label_replace({best('headscale_api_key_expiry_timestamp_seconds', 'prefix', function='min')}, \"key\", \"API key $1\", \"prefix\", \"(.*)\"))",
                         table=True)],
                  [column("key", "Key"), column("Value", "Ends", 150, unit="dateTimeFromNow")], hidden=("from", "prefix"), sort="Ends",
                  no_value="no key has an end"))]


def traffic():
    busiest = f"topk(10, {rate('tailscale_peer_transmit_bytes_total', pair, chosen, pair)}\n" \
              f"+ {rate('tailscale_peer_receive_bytes_total', pair, chosen, pair)})"
    return [
        (12, graph("Bytes by path", "Sent and received by all nodes, by the path they took, as tailscaled counts them.",
                   [query(rate("tailscale_path_bytes_total", "path", view, "from, direction, path"), "{{path}}")], unit="Bps", stacked=True, no_value="no data")),
        (12, graph("Busiest pairs", "The ten pairs that exchange most, in both directions.", [query(busiest, "{{from}} ↔ {{peer}}")], unit="Bps",
                   no_value="no data"))]


def packet_sizes():
    tunnels = f'count_values("tunnels", {best("tailscale_peer_encapsulations", pair, chosen)})'
    mtu = best("path_mtu_bytes", pair, chosen, "min")
    flannel = best("kubernetes_flannel_address_matches", "node_name", function="min")
    return [
        (8, graph("Tunnels that a packet wears", "Directed pairs by the number of tunnels around one packet. Each takes 60 to 80 bytes.",
                  [query(tunnels, "{{tunnels}} tunnels")], stacked=True, no_value="no direct path")),
        (8, bars("Path MTU", "Largest packet that passes without fragments, smallest first. Below 1280 IPv6 does not work; 1280 is what tailscale needs inside.",
                 [query(f"bottomk(12, {mtu})", "{{from}} → {{peer}}", instant=True)], unit="suffix: B", decimals=0, thresholds=steps(red, 1280, orange, 1360, green),
                 highest=1500, no_value="not measured (path_mtu: true turns it on)")),
        (8, stat("Flannel addresses that do not match", "Nodes whose flannel annotation names an address that is not theirs: pod traffic goes to the old one.",
                 [query(f"sum({flannel} == bool 0)")], thresholds=shared.none_is_good, no_value="not read"))]


def build(runbooks):
    board = Board("mesh", "ShortCircuit / Mesh", "Paths between nodes, the networks below them, and the control server.")
    board.variable("from", "From", "Nodes whose view is shown.", "tailscale_running")
    board.variable("peer", "Peer", "Nodes that are looked at.", "tailscale_peer_path")
    board.row(4, *stats())
    board.row(17, (24, peer_matrix()))
    board.row(9, (14, underlays()), (10, nested_table()))
    board.row(8, (12, graph("Direct share of each node", "Share of its active peers that a node reaches directly.",
                            [query(best("tailscale_direct_path_ratio", "from", view, "min"), "{{from}}")], unit="percentunit", highest=1,
                            no_value="no active peer")),
              (12, graph("Peers by path", "Directed pairs by the class of their path.",
                         [query(f"sum by (path) ({best('tailscale_peers', 'from, path', view)})", "{{path}}")], stacked=True, no_value="no data")))
    board.row(8, *packet_sizes())
    board.row(10, (24, changed_paths()))
    board.heading("Traffic")
    board.row(8, *traffic())
    board.row(7, (24, graph("Direct share by bytes, long view", "From the recorded series, cheap over weeks; none while nothing is sent.",
                            [query(recorded("from:shortcircuit_tailscale_direct_bytes:ratio_rate10m"), "{{from}}")], unit="percentunit",
                            highest=1, no_value="no recording rules, or nothing sent")))
    board.heading("Control server and keys")
    board.row(9, *headscale())
    board.heading("Findings")
    board.row(10, (24, shared.findings("Findings of mesh and path MTU", "What is wrong with paths and nodes.", runbooks, 'layer=~"mesh|path_mtu"')))
    return board.build()
