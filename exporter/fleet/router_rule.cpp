#include "fleet/router_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace shortcircuit {
namespace {

using Targets = std::vector<RuleTarget>;
constexpr std::size_t most_targets = 64;
constexpr int deepest_nesting = 64;

void add(Targets& targets, const RuleTarget& target) {
  const bool known = std::find(targets.begin(), targets.end(), target) != targets.end();
  if (!known && targets.size() < most_targets) targets.push_back(target);
}

// expression := term { "||" term }; term := factor { "&&" factor };
// factor := "!" factor | "(" expression ")" | Name "(" [ string { "," string } ] ")"
class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  std::optional<Targets> parse() {
    auto targets = expression(0);
    skip_blanks();
    if (!targets || !rest_.empty()) return std::nullopt;
    return targets;
  }

 private:
  std::optional<Targets> expression(int depth) {
    auto left = term(depth);
    while (left && take("||")) {
      const auto right = term(depth);
      if (!right) return std::nullopt;
      for (const RuleTarget& target : *right) add(*left, target);
    }
    return left;
  }

  std::optional<Targets> term(int depth) {
    auto left = factor(depth);
    while (left && take("&&")) {
      const auto right = factor(depth);
      if (!right) return std::nullopt;
      Targets both;
      for (const RuleTarget& a : *left) {
        for (const RuleTarget& b : *right) {
          add(both, {a.host.empty() ? b.host : a.host, a.path.empty() ? b.path : a.path});
        }
      }
      left = std::move(both);
    }
    return left;
  }

  std::optional<Targets> factor(int depth) {
    if (depth > deepest_nesting) return std::nullopt;
    if (take("!")) {
      if (!factor(depth + 1)) return std::nullopt;
      return Targets{RuleTarget{}};
    }
    if (take("(")) {
      auto inner = expression(depth + 1);
      if (!inner || !take(")")) return std::nullopt;
      return inner;
    }
    return matcher();
  }

  std::optional<Targets> matcher() {
    skip_blanks();
    std::size_t length = 0;
    while (length < rest_.size() && std::isalpha(static_cast<unsigned char>(rest_[length])) != 0)
      ++length;
    const std::string_view name = rest_.substr(0, length);
    rest_.remove_prefix(length);
    if (name.empty() || !take("(")) return std::nullopt;
    std::vector<std::string> arguments;
    while (!take(")")) {
      if (!arguments.empty() && !take(",")) return std::nullopt;
      auto argument = quoted();
      if (!argument) return std::nullopt;
      arguments.push_back(std::move(*argument));
    }
    const bool host = name == "Host" || name == "HostHeader" || name == "HostRegexp" ||
                      name == "HostSNI" || name == "HostSNIRegexp";
    const bool path = name == "Path" || name == "PathPrefix" || name == "PathRegexp";
    if (!host && !path) return Targets{RuleTarget{}};
    Targets targets;
    for (const std::string& argument : arguments) {
      add(targets, host ? RuleTarget{argument, ""} : RuleTarget{"", argument});
    }
    if (targets.empty()) return std::nullopt;
    return targets;
  }

  std::optional<std::string> quoted() {
    skip_blanks();
    if (rest_.empty()) return std::nullopt;
    const char quote = rest_.front();
    if (quote != '`' && quote != '"' && quote != '\'') return std::nullopt;
    std::string value;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == quote) {
        rest_.remove_prefix(i + 1);
        return value;
      }
      if (rest_[i] == '\\' && quote == '"' && i + 1 < rest_.size()) ++i;
      value.push_back(rest_[i]);
    }
    return std::nullopt;
  }

  void skip_blanks() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_.front())) != 0)
      rest_.remove_prefix(1);
  }

  bool take(std::string_view token) {
    skip_blanks();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  std::string_view rest_;
};

}  // namespace

std::optional<std::vector<RuleTarget>> targets_of_rule(std::string_view rule) {
  return Parser(rule).parse();
}

std::string ingress_rule(const std::string& host, const std::string& path,
                         const std::string& matcher_name) {
  std::string rule;
  if (host.starts_with("*.")) {
    std::string pattern;
    for (const char c : host.substr(1))
      pattern += c == '.' ? std::string("\\.") : std::string(1, c);
    rule = fmt::format("HostRegexp(`^[a-zA-Z0-9-]+{}$`)", pattern);
  } else if (!host.empty()) {
    rule = fmt::format("Host(`{}`)", host);
  }
  if (path.empty()) return rule.empty() ? "PathPrefix(`/`)" : rule;
  const std::string matcher = fmt::format("{}(`{}`)", matcher_name, path);
  return rule.empty() ? matcher : rule + " && " + matcher;
}

std::string normalized_rule(std::string_view rule) {
  std::string normalized;
  char quote = 0;
  for (const char c : rule) {
    if (quote != 0) {
      if (c == quote) quote = 0;
      // Both ways of quoting say the same.
      normalized.push_back(c == '"' || c == '\'' ? '`' : c);
    } else if (std::isspace(static_cast<unsigned char>(c)) == 0) {
      if (c == '`' || c == '"' || c == '\'') quote = c;
      normalized.push_back(c == '"' || c == '\'' ? '`' : c);
    }
  }
  return normalized;
}

}  // namespace shortcircuit
