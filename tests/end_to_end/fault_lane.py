"""One exporter of which one upstream has the faults, one after another: what fault_matrix_test.py asks of each cell."""
import os
import pathlib
import shutil
import tempfile

from exporter import MEMORY_COUNTS, Exporter, wait_for
from fake_upstreams import Upstreams
from faults import MATRIX, UPSTREAMS, Fails, Impossible, Innocent, Parts, expected
from faulty_upstream import FaultyUpstream

NODES = ("toa-fwd-gpu-01", "lax-fwd-gpu-01", "aus-node-01")
# The one of several targets that has the faults.
TARGET = {"etcd": "lax-fwd-gpu-01", "tailscale": "lax-fwd-gpu-01"}
UNTIL_UNKNOWN = 3
PATIENCE_SECONDS = 300  # of a machine that does much else
# Interval and timeout of the upstreams without faults: a slow machine must not look like a fault of theirs.
UNHURRIED = ("10s", "9s")
REASONS = ("resolve", "connect", "tls", "timeout", "auth", "status", "too_large", "syntax", "schema", "internal")
LATE = "timeout"  # what a slow machine adds to every cell
# Families of one source that cannot be told without another one.
NEEDS_TOO = {"kubernetes": "shortcircuit_tailscale_peer_encapsulations"}  # whether pods ride on the tailnet
CHANGING = ("#", "process_", "shortcircuit_source_", "shortcircuit_snapshot_timestamp", "shortcircuit_config_last_reload",
            "shortcircuit_finding_since", "shortcircuit_endpoint_address_stale_since")


def stable(exposition):
    return {line for line in exposition.splitlines() if not line.startswith(CHANGING)}


def series(exposition, name, **labels):
    """Sum of the values of a family's series that have these labels; None when there is none."""
    values = [float(line.rsplit(" ", 1)[1]) for line in exposition.splitlines()
              if line.startswith(name + "{") and all(f'{label}="{value}"' in line for label, value in labels.items())]
    return sum(values) if values else None


class Lane:
    def __init__(self, upstream, binary, recordings, certificates, interval, timeout):
        self.upstream, self.target = upstream, TARGET.get(upstream, "")
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="sc-"))
        night = pathlib.Path(recordings) / "night"
        self.upstreams = Upstreams(night, "00-everything-broken", self.scratch)
        for name in list(self.upstreams.all):
            if name.startswith("tailscale/") and name.split("/")[1] not in NODES:
                self.upstreams.all.pop(name).close()
        self.faulty = self.put_faulty_in_place(certificates)
        own = (night / "shortcircuit.yaml").read_text()
        config = self.scratch / "shortcircuit.yaml"
        configuration = self.upstreams.configuration(*UNHURRIED, own[own.index("networks:"):])
        config.write_text(self.hurried(self.with_credentials(configuration), interval, timeout))
        self.exporter = Exporter(binary, "--config", str(config)).ready()

    def put_faulty_in_place(self, certificates):
        name = f"{self.upstream}/{self.target}" if self.target else self.upstream
        good = self.upstreams.all[name]
        good.close()
        tcp = good.socket_path is None
        faulty = FaultyUpstream(good.answer, certificates[0][1] if tcp else None, good.socket_path, "token-0" if tcp else None)
        faulty.ca_file = self.scratch / "ca.pem"
        shutil.copy(certificates[0][0], faulty.ca_file)
        faulty.token_file = self.scratch / "token"
        faulty.token_file.write_text("token-0\n")
        faulty.next_certificate = lambda: certificates[1 if faulty.certificate == certificates[0][1] else 0]
        faulty.next_token = lambda: f"token-{int(faulty.token[6:]) + 1}"
        self.upstreams.all[name] = faulty
        return faulty

    def with_credentials(self, text):
        tls = f"tls: {{ca_file: {self.faulty.ca_file}}}"
        token = f"bearer_token_file: {self.faulty.token_file}"
        lines = []
        for line in text.splitlines():
            if self.upstream == "kubernetes" and line.startswith("kubernetes:"):
                line = line.replace(f"bearer_token_file: {self.scratch}/kubernetes.token", f"{token}, {tls}")
            elif self.upstream == "headscale" and line.startswith("headscale:"):
                line = line.replace(f"api_key_file: {self.scratch}/headscale.key", f"api_key_file: {self.faulty.token_file}, {tls}")
            elif self.upstream in ("traefik", "linstor") and line.startswith(self.upstream + ":"):
                line = line.replace("'}", "'").replace("', ", f"', {token}, {tls}, ", 1)
            elif self.upstream == "etcd" and line == "etcd:":
                line += f"\n  {token}"
            elif self.upstream == "etcd" and f"name: {self.target}, url" in line:
                line = line.replace("}", f", {tls}}}")
            lines.append(line)
        return "\n".join(lines) + "\n"

    def hurried(self, text, interval, timeout):
        """The section of this upstream with short times."""
        slow = [f"{key}: {value}" for key, value in zip(("interval", "timeout"), UNHURRIED)]
        begin = text.index(f"{self.upstream}:")
        end = min(at for at in (text.find(f"\n{name}:", begin + 1) for name in (*UPSTREAMS, "networks")) if at > 0)
        section = text[begin:end].replace(slow[0], f"interval: {interval}").replace(slow[1], f"timeout: {timeout}")
        return text[:begin] + section + text[end:]

    def close(self):
        self.exporter.__exit__()
        self.upstreams.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    # --- what the exporter says

    def scrape(self):
        return self.exporter.text()

    def own(self, text, name, **labels):
        return series(text, "shortcircuit_source_" + name, source=self.upstream, target=self.target, **labels) or 0

    def failures_of_others(self, text):
        """Those of targets that share the short times do not count when they were late."""
        name = "shortcircuit_source_poll_failures_total"
        siblings_late = (series(text, name, source=self.upstream, reason="timeout") or 0) \
            - self.own(text, "poll_failures_total", reason="timeout")
        return series(text, name) - self.own(text, "poll_failures_total") - siblings_late

    def said_by_this(self, line):
        """A line that says what this target, and nobody else, said."""
        if not line.startswith(f"shortcircuit_{self.upstream}_"):
            return False
        if self.upstream == "etcd":
            return f'member="{self.target}"' in line
        return self.upstream != "tailscale" or f'from="{self.target}"' in line

    def said_by_others(self, line):
        return line.startswith(tuple(f"shortcircuit_{name}_" for name in UPSTREAMS)) and not self.said_by_this(line)

    def judged(self):
        """({finding}, {layer: its JSON})"""
        document = self.exporter.findings()
        return ({(f["layer"], f["check"], f["reason"], f["kind"], f["object"]) for f in document["findings"]},
                {layer["layer"]: layer for layer in document["layers"]})

    def open_things(self):
        """(threads, descriptors, resident KiB)"""
        process = pathlib.Path(f"/proc/{self.exporter.process.pid}")
        resident = next(line for line in (process / "status").read_text().splitlines() if line.startswith("VmRSS"))
        return len(os.listdir(process / "task")), len(os.listdir(process / "fd")), int(resident.split()[1])

    def wait_for_text(self, what, condition, each=lambda text: None):
        """The first scrape that meets the condition; `each` looks at all of them."""
        def look():
            text = self.scrape()
            each(text)
            return text if condition(text) else None
        return wait_for(f"{self.upstream}: {what}", look, PATIENCE_SECONDS)

    # --- the cell

    def baseline(self):
        def whole(text):
            return series(text, "shortcircuit_source_up") == len(self.upstreams.all) and self.own(text, "polls_total") >= 3
        text = self.wait_for_text("all sources", whole)
        self.before = stable(text)
        self.values = {name: float(value) for name, value in (line.rsplit(" ", 1) for line in self.before)}
        self.others = len([name for name in self.upstreams.all if name.split("/")[0] != self.upstream])
        self.findings, self.layers = self.judged()
        for name in UPSTREAMS:
            assert any(line.startswith(f"shortcircuit_{name}_") for line in self.before), f"nothing is said of {name}"
        assert any(map(self.said_by_this, self.before)) and any(map(self.said_by_others, self.before))
        self.open_before = self.open_things()
        return text

    def allowed(self, line, right):
        """Lines that change by what is known of the rest."""
        if self.upstream == "kubernetes" and 'reason="router_error"' in line:
            # When a middleware could not be read, Traefik's own word for it is what is left: as a finding under its own name,
            # and in a route that was broken there before.
            link = line.replace("route_cause{", "route_link_broken{").replace(',layer="', ',link="').split(",reason=")[0]
            return 'check="middleware_missing"' in line or (
                link.endswith('link="middleware"') and any(known.startswith(link) for known in self.before))
        # Those of etcd are said of the cluster: they change with one of three members.
        if self.upstream != "etcd" or not isinstance(right, Fails):
            return False
        if line.startswith("shortcircuit_etcd_quorum_margin"):
            return True
        # That a member cannot be reached is itself an answer of the cluster: one of three is missing.
        return (right.reason in ("connect", LATE) or right.late_too) and (
            line.startswith(("shortcircuit_etcd_member_up", 'shortcircuit_finding{check="quorum_margin_zero"'))
            or line == 'shortcircuit_layer_findings{layer="etcd"} 1'
            or line.startswith("shortcircuit_etcd_") and f'peer="{self.target}"' in line)

    def fewer(self, line):
        """A count of what is known, which is less while less is known, but never nothing; or one more unknown."""
        name, value = line.rsplit(" ", 1)
        before = self.values.get(name)
        if before is None:
            return False
        if name.startswith(("shortcircuit_layer_findings", "shortcircuit_network_dependents")):
            return 0 < float(value) < before
        if name.startswith("shortcircuit_endpoint_addresses"):
            return float(value) > before if 'state="unknown"' in name else float(value) < before
        return False

    def next_cause(self, line):
        """The first broken link is unknown now: the next one, broken before, is the first that is known."""
        link = line.replace("route_cause{", "route_link_broken{").replace(',layer="', ',link="')
        return line.startswith("shortcircuit_route_cause{") and link in self.before

    def look_at(self, text, right, fault, failures_before):
        now = stable(text)
        # Its siblings have the short times too, and may be late.
        up = series(text, "shortcircuit_source_up") - (series(text, "shortcircuit_source_up", source=self.upstream) or 0)
        assert up == self.others, f"{up} targets of other sources are up, of {self.others}"
        assert self.failures_of_others(text) == failures_before, "another source failed"
        gone = {line for line in self.before - now if self.said_by_others(line) and not self.allowed(line, right)
                and not line.startswith(NEEDS_TOO.get(self.upstream, "never"))}
        assert not gone, f"what others said is gone: {sorted(gone)[:10]}"
        new = {line for line in now - self.before if not self.allowed(line, right) and not self.fewer(line)
               and not self.next_cause(line)}
        if fault.times_differ:
            new = {line for line in new if "timestamp_seconds" not in line.split("{")[0].split(" ")[0]}
        assert not new, f"said only since the fault: {sorted(new)[:10]}"

    def look_at_judgement(self, right):
        findings, layers = self.judged()
        invented = {f for f in findings - self.findings if not self.allowed(f'shortcircuit_finding{{check="{f[1]}",reason="{f[2]}"', right)}
        assert not invented, f"invented: {invented}"
        for layer, check, *rest in self.findings - findings:
            assert layers[layer]["unknown"], f"healed, and nothing is unknown: {layer} {check} {rest}"
            assert layers[layer]["status"] != "ok", f"healed: {layer} {check} {rest}"
        for name, layer in layers.items():
            if self.layers[name]["status"] in ("broken", "unknown"):
                assert layer["status"] != "ok", f"{name} was {self.layers[name]['status']} and is ok"

    def cell(self, name):
        """One line that says what was seen."""
        right = expected(name, self.upstream)
        if isinstance(right, Impossible):
            return "cannot be: " + right.why
        fault = MATRIX[name][0]
        begin = self.scrape()
        failures_of_others, polls = self.failures_of_others(begin), self.own(begin, "polls_total")
        failed = {reason: self.own(begin, "poll_failures_total", reason=reason) for reason in REASONS}

        def look(text):
            self.look_at(text, right, fault, failures_of_others)

        def new_failures(text):
            return {reason: count for reason in REASONS
                    if (count := self.own(text, "poll_failures_total", reason=reason) - failed[reason]) > 0}

        self.faulty.begin(fault)
        try:
            if isinstance(right, Innocent):
                polls_now = self.own(self.scrape(), "polls_total")
                text = self.wait_for_text(f"{name}: good polls", lambda t: self.own(t, "polls_total") >= polls_now + 2
                                          and self.faulty.asked and self.own(t, "up") == 1
                                          and (fault.times_differ or stable(t) == self.before), look)
                assert set(new_failures(text)) <= {LATE}, new_failures(text)
            else:
                text = self.wait_for_text(f"{name}: {UNTIL_UNKNOWN} failures", lambda t: sum(new_failures(t).values()) >= UNTIL_UNKNOWN
                                          and self.own(t, "polls_total") >= polls + UNTIL_UNKNOWN + 1
                                          and (right.late_too or right.reason in new_failures(t))
                                          and self.own(t, "up") == isinstance(right, Parts), look)
                assert set(new_failures(text)) <= {LATE, right.reason}, new_failures(text)
                if isinstance(right, Fails):
                    left = {line for line in stable(text) if self.said_by_this(line) and not self.allowed(line, right)}
                    assert not left, f"still said: {sorted(left)[:10]}"
            self.look_at_judgement(right)
        finally:
            before_the_end = self.scrape()
            self.faulty.heal()
        recovered = self.wait_for_text(f"{name}: recovery", lambda t: self.own(t, "up") == 1 and stable(t) == self.before
                                       and self.own(t, "polls_total") > self.own(before_the_end, "polls_total"))
        # Two intervals, the poll that was under way, and one that the last scrape did not show yet; not those that a slow
        # machine could not do in time.
        took = self.own(recovered, "polls_total") - self.own(before_the_end, "polls_total")
        late = self.own(recovered, "poll_failures_total", reason=LATE) - self.own(before_the_end, "poll_failures_total", reason=LATE)
        assert took - late <= 4, f"recovered after {took} polls"
        findings, _ = self.judged()
        assert findings == self.findings, findings ^ self.findings
        assert not self.faulty.mistakes, self.faulty.mistakes
        threads, descriptors, resident = self.open_things()
        assert threads <= self.open_before[0] + 1, (threads, self.open_before)
        assert descriptors <= self.open_before[1] + 8, (descriptors, self.open_before)
        assert resident <= self.open_before[2] + (16 << 10) or not MEMORY_COUNTS, (resident, self.open_before)
        return f"{type(right).__name__}({getattr(right, 'reason', '')})  {threads} threads, {descriptors} descriptors, {resident} KiB"

    def short_round(self, name):
        """The fault until a poll met it, then a good poll."""
        right = expected(name, self.upstream)
        before = self.own(self.scrape(), "poll_failures_total")
        self.faulty.begin(MATRIX[name][0])
        try:
            if isinstance(right, Innocent):
                wait_for("a request", lambda: self.faulty.asked > 0)
            else:
                self.wait_for_text(f"{name}: a failure", lambda t: self.own(t, "poll_failures_total") > before)
        finally:
            polls = self.own(self.scrape(), "polls_total")
            self.faulty.heal()
        self.wait_for_text(f"{name}: recovery", lambda t: self.own(t, "up") == 1 and self.own(t, "polls_total") > polls + 1)
