// What headers and queries are compared with stays inside.
#include "base/matched_values.h"

#include "fleet/router_rule.h"
#include "support/catch.h"

using namespace shortcircuit;

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
  CHECK(targets_of_rule(without_matched_values(rule)) == targets_of_rule(rule));
}
