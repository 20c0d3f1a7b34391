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

TEST_CASE("values that headers and queries are compared with are left out") {
  const std::string kept = "Host(`a`) && PathPrefix(`/header`) && Method(`GET`)";
  CHECK(without_matched_values(kept) == kept);
  CHECK(without_matched_values("HeaderX(`a`, `b`), the header X, a query") ==
        "HeaderX(`a`, `b`), the header X, a query");
  for (const std::string name : {"Header", "Headers", "HeaderRegexp", "HeadersRegexp", "Query",
                                 "QueryRegexp", "header", "QUERY"}) {
    CAPTURE(name);
    CHECK(without_matched_values(kept + "&&" + name + "(`X-Key`, `s3cret`)||Host(`b`)") ==
          kept + "&&" + name + "(`X-Key`, `withheld`)||Host(`b`)");
  }
  CHECK(without_matched_values(R"(!Header ( "X",'s3)cret' ) && Host(`b`))") ==
        R"(!Header("X", `withheld`) && Host(`b`))");
  CHECK(without_matched_values(R"(Header("X", "s3\"cret", `s3cret`) && Host(`b`))") ==
        R"(Header("X", `withheld`, `withheld`) && Host(`b`))");
  CHECK(without_matched_values("Query(`key=s3cret`, `other=s3cret`)") ==
        "Query(`key=withheld`, `withheld`)");
  CHECK(without_matched_values("Header()") == "Header()");
  // What is not understood is not kept.
  for (const std::string rest : {"`X`, `s3cret", "`X`, s3cret)", "`X` `s3cret`)",
                                 R"(\"X\", \"s3\"))", "", "`X`,", "X=s3cret) && Host(`a`)"}) {
    CAPTURE(rest);
    const std::string shown = without_matched_values("Host(`a`) && Header(" + rest);
    CHECK(shown.starts_with("Host(`a`) && Header("));
    CHECK(shown.ends_with("`withheld`"));
    CHECK_FALSE(shown.contains("s3"));
  }
}

TEST_CASE("a rule without its values leads to the same hosts and paths") {
  const std::string rule = "(Host(`a`) || Host(`b`)) && Header(`X`, `v`) && PathPrefix(`/x`)";
  CHECK(targets(without_matched_values(rule)) == targets(rule));
}
