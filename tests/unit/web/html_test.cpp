#include "web/html.h"

#include "support/catch.h"

using namespace shortcircuit;

TEST_CASE("everything that is written is escaped") {
  Html html;
  html.element("p", {{"title", "\" onmouseover='x' <>&"}}, "<script>alert('1')</script> & \"so\"");
  CHECK(html.take() ==
        "<p title=\"&quot; onmouseover=&#39;x&#39; &lt;&gt;&amp;\">"
        "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;so&quot;</p>");
}

TEST_CASE("control characters are shown as such") {
  Html html;
  html.text(std::string_view("a\0b\x1b[31mc\td", 11));
  CHECK(html.take() == "a\uFFFDb\uFFFD[31mc\td");
}

TEST_CASE("scopes close their elements, empty attributes are left out") {
  Html html;
  {
    const auto outer = html.scope("ul", {{"class", ""}});
    const auto inner = html.scope("li");
    html.text("x");
  }
  CHECK(html.take() == "<ul><li>x</li></ul>");
}

TEST_CASE("text is cut between characters") {
  CHECK(shortened("abc", 3) == "abc");
  CHECK(shortened("abcd", 3) == "abc…");
  CHECK(shortened("aéé", 2) == "a…");
  CHECK(shortened("éé", 3) == "é…");
  CHECK(shortened("é", 1) == "…");
}
