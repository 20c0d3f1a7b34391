#include "fleet/router_rule.h"

#include "support/catch.h"

using namespace shortcircuit;

namespace {
std::string targets(std::string_view rule) {
  const auto parsed = targets_of_rule(rule);
  if (!parsed) return "not a rule";
  std::string text;
  for (const RuleTarget& target : *parsed)
    text += (text.empty() ? "" : " ") + target.host + "|" + target.path;
  return text;
}
}  // namespace

TEST_CASE("hosts and paths of a rule") {
  CHECK(targets("Host(`a.example`)") == "a.example|");
  CHECK(targets("Host(`a.example`, `b.example`)") == "a.example| b.example|");
  CHECK(targets("Host(`a.example`) && PathPrefix(`/x`)") == "a.example|/x");
  CHECK(targets("Host(\"a.example\")||Host('b.example')") == "a.example| b.example|");
  CHECK(targets("Host(`a`) && (PathPrefix(`/x`) || Path(`/y`))") == "a|/x a|/y");
  CHECK(targets("(Host(`a`) || Host(`b`)) && PathPrefix(`/x`)") == "a|/x b|/x");
  CHECK(targets("Host(`a`) && !PathPrefix(`/secret`)") == "a|");
  CHECK(targets("HostRegexp(`^.+\\.example$`)") == "^.+\\.example$|");
  CHECK(targets("HostSNI(`*`)") == "*|");
  CHECK(targets("Host(`a`) && Headers(`X-A`, `b`) && Method(`GET`)") == "a|");
  CHECK(targets("PathPrefix(`/`)") == "|/");
  CHECK(targets("Host(`a`) || Host(`a`)") == "a|");
}

TEST_CASE("what is no rule is said, whatever it is") {
  for (const auto* rule : {"", "Host(", "Host(`a`", "Host(`a`) &&", "Host(`a`) Host(`b`)", "Host()",
                           "&&", "((((", "Host(`a) && b", "Host(`a`))", "12", "Host{`a`}"}) {
    INFO(rule);
    CHECK(targets(rule) == "not a rule");
  }
  CHECK(targets(std::string(100000, '(')) == "not a rule");
  CHECK(targets(std::string(100000, '!')) == "not a rule");
}

TEST_CASE("rules are compared without the blanks and quotes that do not matter") {
  CHECK(normalized_rule("Host( \"a b\" ) &&  PathPrefix(`/`)") == "Host(`a b`)&&PathPrefix(`/`)");
}
