// Somebody pastes a cure as it stands: every one of every recording is held here, and those that no
// recording shows by the tests of the checks (support/pasteable.h).
#include "checks/cure.h"
#include "support/catch.h"
#include "support/judged_recording.h"
#include "support/pasteable.h"
#include "support/snapshots.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

TEST_CASE("every cure of every recording is a command or a comment", "[cures]") {
  std::set<std::string> cures;
  for (const std::string& name : recording_names()) {
    for (const auto& [step, publication] : replay_all(recording_path(name))) {
      for (const Finding& finding : publication->judgement.findings) cures.insert(finding.cure);
      for (const Dependent& dependent : publication->judgement.dependents)
        cures.insert(dependent.cure);
    }
  }
  CHECK(cures.size() > 60);  // else the recordings were not read
  for (const std::string& cure : cures) {
    INFO(cure);
    CHECK(why_not_pasteable(cure) == "");
  }
  CHECK(refused_by_bash(cures) == std::set<std::string>{});
}

TEST_CASE("what is no command, or would harm as one, is told", "[cures]") {
  const std::string cure = GENERATE(
      "", "# ", "kubectl get nodes   # ", "kubectl get nodes\nreboot",
      // Cures that once were.
      "on a: tailscale up --force-reauth",
      "kubectl describe node a; until it is back, take its address out of DNS",
      "kubectl annotate node a --overwrite b=c (it does not heal itself)",
      "etcdctl compact $(etcdctl endpoint status -w json | cut -d: -f2), then etcdctl defrag",
      "kubectl annotate --overwrite node a b=<address>, then restart k3s on it",
      "linstor node interface create a lan ADDRESS", "etcdctl member update a --peer-urls=NEW-URL",
      "let the load balancer run on the node", "edit the exporter's configuration",
      "kubectl get pods, then mend them", "kubectl get pods then mend them", "kubectl get 'pods",
      "kubectl get pods && mend them", "kubectl get pods &&", "kubectl get pods # mend them");
  INFO(cure);
  CHECK(why_not_pasteable(cure) != "");
}

TEST_CASE("what a cure may be", "[cures]") {
  const std::string cure = GENERATE(
      "# point DNS at another node (there are some)", "kubectl get nodes",
      "kubectl -n a edit service b   # spec.ports: see <above>; then $(go on)",
      "ssh a sudo iptables -I OUTPUT -d 10.0.0.0/8 -p udp --dport 41641 -j DROP",
      "ssh a 'sudo systemctl restart tailscaled && sudo tailscale up'   # at its console",
      R"x(etcdctl compact "$(etcdctl endpoint status -w json | cut -d: -f2)" && etcdctl defrag)x");
  INFO(cure);
  CHECK(why_not_pasteable(cure) == "");
  CHECK(refused_by_bash({cure}).empty());
}

TEST_CASE("bash refuses what it cannot read", "[cures]") {
  const std::set<std::string> bad{"kubectl get nodes (all)", "kubectl get 'nodes"};
  std::set<std::string> cures = bad;
  cures.insert("kubectl get nodes");
  CHECK(refused_by_bash(cures) == bad);
}

TEST_CASE("a word of a shell stands for itself, whatever is in it", "[cures]") {
  CHECK(shell_word("aus-node-01") == "aus-node-01");
  CHECK(shell_word("https://hs.example.org:443/x") == "https://hs.example.org:443/x");
  CHECK(shell_word("").size() == 2);
  CHECK(shell_word("a b; reboot") == "'a b; reboot'");
  CHECK(shell_word("$(reboot) & `id`") == "'$(reboot) & `id`'");
  CHECK(shell_word("it's") == R"('it'\''s')");
  CHECK(on_node("a b", "true") == "ssh 'a b' sudo true");
  CHECK(on_node("-x", "true") == "ssh -- -x sudo true");
  // The shell over there reads it once more.
  CHECK(on_node("a", "ping " + shell_word("b; c")) == R"(ssh a 'sudo ping '\''b; c'\''')");
}

TEST_CASE("names that people write into their objects run nothing in a reader's shell", "[cures]") {
  const std::string hostile = "$(touch /tmp/pwned)";
  World world = World::healthy();
  auto& ingress = world.ingress("shop/front", "shop.example", "web");
  world.with_pods("shop/web", 1);
  ingress.traefik_annotations = {{"traefik.ingress.kubernetes.io/router.middlewares",
                                  hostile + "-x@kubernetescrd, a\nreboot-y@kubernetescrd"}};
  auto& rule = world.ingress_route("shop/crd", "Host(`a.example`)", "gone").rules.front();
  rule.services.front().namespace_name = hostile;
  rule.services.push_back({.name = hostile, .namespace_name = "shop;reboot", .port = "1"});
  rule.middlewares.push_back({.name = "gone", .namespace_name = "`reboot`"});
  std::set<std::string> cures;
  for (const Finding& finding : world.judge().findings) cures.insert(finding.cure);
  CHECK(cures.size() == 5);
  for (const std::string& cure : cures) {
    INFO(cure);
    CHECK(why_not_pasteable(cure) == "");
  }
  CHECK(refused_by_bash(cures).empty());
}
