"""deploy/kubernetes on a real API server: every object is accepted, the controllers make the pods, the ServiceAccount may
do what the exporter asks and nothing else, and the exporter lists and watches with it.

    real_kubernetes_test.py PROGRAMS BINARY      (PROGRAMS: a folder with kube-apiserver, kube-controller-manager, kubectl)
"""
import json
import pathlib
import sys
import tempfile

from api_server import ApiServer, PATIENCE_SECONDS
from machine import main_of

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "end_to_end"))
from exporter import Exporter, wait_for  # noqa: E402

PROGRAMS, BINARY = pathlib.Path(sys.argv[1]), sys.argv[2]
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NAMESPACE, NAME = "shortcircuit", "shortcircuit-exporter"
ACCOUNT = f"system:serviceaccount:{NAMESPACE}:{NAME}"

NODES = [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"kubernetes.io/os": "linux"}},
          "spec": {"taints": taints}}
         for name, taints in (("plain", []), ("tainted", [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}]),
                              ("evicting", [{"key": "gone", "effect": "NoExecute"}]))]


def custom_resource(plural, kind):
    """A kind as Traefik defines it, without its schema."""
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.traefik.io",
                         # apiextensions asks for it where a group is not the user's own
                         "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"}},
            "spec": {"group": "traefik.io", "scope": "Namespaced",
                     "names": {"plural": plural, "singular": kind.lower(), "kind": kind},
                     "versions": [{"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
                         "type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}}


def service(name):
    return json.dumps({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
                       "spec": {"ports": [{"port": 80}], "selector": {"app": name}}})


class Story:
    def __init__(self, folder, server):
        self.folder, self.server, self.exporter = folder, server, None

    def apply(self, objects):
        return self.server.kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def accepts_every_object(self):
        """As deploy/README.md says it. A field that the API server does not know is an error, not dropped in silence."""
        self.apply(NODES)
        said = self.server.kubectl("apply", "--validate=strict", "-k", str(ROOT / "deploy/kubernetes/examples/k3s"))
        assert "deployment.apps/shortcircuit-exporter created" in said and "Warning" not in said, said

    def pods(self, component):
        return json.loads(self.server.kubectl("-n", NAMESPACE, "get", "pods", "-o", "json", "-l",
                                              f"app.kubernetes.io/component={component}"))["items"]

    def controllers_make_a_pod_for_every_node(self):
        wait_for("a pod of the cluster instance", lambda: len(self.pods("cluster")) == 1, PATIENCE_SECONDS)
        wait_for("a pod for every node", lambda: len(self.pods("node")) == len(NODES), PATIENCE_SECONDS)

    def pods_would_be_restricted_but_for_the_socket(self):
        """The base alone lives in a namespace that enforces `restricted`."""
        self.server.kubectl("apply", "-k", str(ROOT / "deploy/kubernetes/base"))
        namespace = json.loads(self.server.kubectl("get", "namespace", NAMESPACE, "-o", "json"))
        assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
        self.server.kubectl("-n", NAMESPACE, "delete", "pods", "-l", "app.kubernetes.io/component=cluster", "--force")
        wait_for("the pod made anew under `restricted`", lambda: self.pods("cluster"), PATIENCE_SECONDS)
        self.server.kubectl("-n", NAMESPACE, "delete", "pods", "-l", "app.kubernetes.io/component=node", "--force")
        wait_for("the node instance's refusal", lambda: "violates PodSecurity" in self.server.kubectl(
            "-n", NAMESPACE, "get", "events", "-o", "jsonpath={.items[*].message}"), PATIENCE_SECONDS)

    def may(self, verb, group, resource):
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {
            "user": ACCOUNT, "resourceAttributes": {"verb": verb, "group": group, "resource": resource}}}
        return json.loads(self.server.kubectl("create", "-o", "json", "-f", "-", text=json.dumps(review)))["status"]["allowed"]

    def may_list_and_watch_and_nothing_else(self):
        role = json.loads(self.server.kubectl("get", "clusterrole", NAME, "-o", "json"))
        kinds = [(group, resource) for rule in role["rules"] for group in rule["apiGroups"] for resource in rule["resources"]]
        assert len(kinds) > 20, kinds
        for kind in kinds:
            allowed = {verb for verb in ("list", "watch", "create", "update", "patch", "delete") if self.may(verb, *kind)}
            assert allowed == {"list", "watch"}, (kind, allowed)
        for verb in ("get", "list", "watch"):
            assert not self.may(verb, "", "secrets"), verb

    def source(self, name):
        return self.exporter.metric(f'shortcircuit_source_{name}{{source="kubernetes",target=""}}')

    def reads_with_the_token_of_its_account(self):
        token = self.folder / "token"
        token.write_text(self.server.kubectl("-n", NAMESPACE, "create", "token", NAME, "--duration=1h").strip())
        configuration = self.folder / "shortcircuit.yaml"
        configuration.write_text(f"kubernetes:\n  url: {self.server.url}\n  bearer_token_file: {token}\n"
                                 f"  tls: {{ca_file: {self.server.ca}}}\n  interval: 1s\n  timeout: 900ms\n"
                                 "limits: {series_per_family: 10000}\n")
        self.exporter = Exporter(BINARY, "--config", str(configuration)).ready()
        wait_for("all nodes", lambda: self.exporter.text().count("\nshortcircuit_kubernetes_node_ready{") == len(NODES))
        assert self.source("up") == 1
        refused = [line for line in self.exporter.log if "403" in line or "forbidden" in line.lower()]
        assert not refused, refused

    def sees_what_changes_through_its_watches(self):
        self.server.kubectl("taint", "node", "plain", "maintenance=yes:NoSchedule")
        self.apply([{**NODES[0], "metadata": {**NODES[0]["metadata"], "name": "fourth"}}])
        wait_for("the fourth node", lambda: 'node_name="fourth"' in self.exporter.text())
        self.server.kubectl("delete", "node", "fourth")
        wait_for("its end", lambda: 'node_name="fourth"' not in self.exporter.text())

    def takes_a_kind_that_appears_later(self):
        """Traefik is installed while the exporter runs: a route to a Service that is not there is then a finding."""
        self.apply([custom_resource("ingressroutes", "IngressRoute"), custom_resource("middlewares", "Middleware")])
        wait_for("the new kind", lambda: "created" in self.server.kubectl("apply", "-f", "-", text=json.dumps({
            "apiVersion": "traefik.io/v1alpha1", "kind": "IngressRoute", "metadata": {"name": "site", "namespace": "default"},
            "spec": {"routes": [{"kind": "Rule", "match": "Host(`site.example`)",
                                 "services": [{"name": "absent", "port": 80}]}]}}), check=False)[1], PATIENCE_SECONDS)
        wait_for("its finding", lambda: [each for each in self.exporter.findings()["findings"]
                                         if each["reason"] == "service_absent"], PATIENCE_SECONDS)
        self.server.kubectl("apply", "-f", "-", text=service("absent"))
        wait_for("its end", lambda: not [each for each in self.exporter.findings()["findings"]
                                         if each["reason"] == "service_absent"], PATIENCE_SECONDS)

    def survives_the_end_of_the_api_server(self):
        self.server.stop("kube-apiserver")
        wait_for("a source that is down", lambda: self.source("up") == 0)
        self.server.start_api_server()
        wait_for("its return", lambda: self.source("up") == 1)
        self.apply([{**NODES[0], "metadata": {**NODES[0]["metadata"], "name": "fifth"}}])
        wait_for("the fifth node", lambda: 'node_name="fifth"' in self.exporter.text())

    def is_told_when_its_rights_go(self):
        self.server.kubectl("delete", "clusterrolebinding", NAME)
        wait_for("a refusal in the log", lambda: [line for line in self.exporter.log if "403" in line])

    def ends(self):
        assert self.exporter.stop() == 0


with tempfile.TemporaryDirectory() as scratch, ApiServer(PROGRAMS, pathlib.Path(scratch) / "server") as api_server:
    story = Story(pathlib.Path(scratch), api_server)
    main_of([story.accepts_every_object, story.controllers_make_a_pod_for_every_node,
             story.pods_would_be_restricted_but_for_the_socket, story.may_list_and_watch_and_nothing_else,
             story.reads_with_the_token_of_its_account, story.sees_what_changes_through_its_watches,
             story.takes_a_kind_that_appears_later, story.survives_the_end_of_the_api_server,
             story.is_told_when_its_rights_go, story.ends])
