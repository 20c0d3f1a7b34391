#include "base/shared_vector.h"

#include <string>

#include "support/catch.h"

using namespace shortcircuit;

TEST_CASE("a copy shares its elements until one of them is changed") {
  SharedVector<std::string> some{"a", "b", "c"};
  const SharedVector<std::string> copy = some;
  CHECK(&*copy.begin() == &*some.begin());
  some[1] = "changed";
  CHECK(some == SharedVector<std::string>{"a", "changed", "c"});
  CHECK(copy == SharedVector<std::string>{"a", "b", "c"});
  CHECK(&std::as_const(some)[0] == &copy[0]);
  CHECK(&std::as_const(some)[1] != &copy[1]);
  const std::string* const own = &std::as_const(some)[1];
  some[1] += " again";
  CHECK(&std::as_const(some)[1] == own);
}

TEST_CASE("elements of another vector are shared one by one") {
  const SharedVector<std::string> from{"a", "b"};
  SharedVector<std::string> some;
  some.share(from, 1);
  some.push_back("c") += "!";
  CHECK(some == SharedVector<std::string>{"b", "c!"});
  CHECK(&std::as_const(some)[0] == &from[1]);
}

TEST_CASE("elements are erased in one copy only") {
  SharedVector<std::string> some{"a", "b", "c"};
  const SharedVector<std::string> copy = some;
  some.erase_if([](const std::string& text) { return text != "b"; });
  CHECK(some == SharedVector<std::string>{"b"});
  CHECK(copy.size() == 3);
  some.clear();
  CHECK(some.empty());
  CHECK_FALSE(some == copy);
}
