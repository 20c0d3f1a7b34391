#include "support/pasteable.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <stdexcept>
#include <vector>

#include "base/text.h"

namespace shortcircuit::testing {
namespace {

constexpr std::string_view before_comment = "   # ";

template <std::size_t size>
bool one_of(const std::array<std::string_view, size>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The words as bash parts them; what is quoted is one `'`. Nothing: the quotes are not closed.
std::optional<std::vector<std::string>> words_of(std::string_view command) {
  std::vector<std::string> words(1);
  char quote = 0;
  for (const char c : command) {
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
      words.back() += '\'';
    } else if (c == ' ') {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  if (quote != 0) return std::nullopt;
  return words;
}

bool is_placeholder(std::string_view word) {
  static constexpr std::array<std::string_view, 2> of_iptables{"OUTPUT", "DROP"};
  const bool capitals = std::all_of(word.begin(), word.end(),
                                    [](char c) { return (c >= 'A' && c <= 'Z') || c == '-'; });
  return capitals && word.size() > 2 && word.front() != '-' && !one_of(of_iptables, word);
}

std::string why_no_command(std::string_view command) {
  static constexpr std::array<std::string_view, 6> programs{"kubectl", "ssh",  "etcdctl",
                                                            "linstor", "curl", "headscale"};
  static constexpr std::array<std::string_view, 10> prose{"then", "or", "and",   "if",  "until",
                                                          "see",  "on", "(then", "the", "again"};
  const auto words = words_of(command);
  if (!words) return "a quote is not closed";
  bool first = true;
  for (const std::string& word : *words) {
    if (word == "&&" || word == ";") {  // a `;` that stands alone
      first = true;
      continue;
    }
    if (word.empty()) return "two spaces before the comment";
    if (first && !one_of(programs, word)) return fmt::format("`{}` is no command", word);
    first = false;
    if (word.find_first_of("()<>`;|&$#*?!{}~\\") != std::string::npos)
      return fmt::format("`{}` means something else to a shell", word);
    if (one_of(prose, word) || std::string_view(",:").contains(word.back()))
      return fmt::format("`{}` is prose", word);
    const std::string value =
        word.substr(word.find('=') == std::string::npos ? 0 : word.find('=') + 1);
    if (is_placeholder(word) || is_placeholder(value))
      return fmt::format("`{}` is to be filled in", word);
  }
  return first ? "nothing follows the last command" : "";
}

}  // namespace

std::string why_not_pasteable(const std::string& cure) {
  if (cure.find_first_of("\n\r\t") != std::string::npos) return "more than one line";
  if (cure.starts_with("# ")) return cure.size() > 2 ? "" : "an empty comment";
  const auto comment = cure.find(before_comment);
  if (comment != std::string::npos && comment + before_comment.size() == cure.size())
    return "an empty comment";
  return why_no_command(std::string_view(cure).substr(0, comment));
}

std::set<std::string> refused_by_bash(const std::set<std::string>& cures) {
  std::set<std::string> refused;
  for (const std::string& cure : cures) {
    FILE* bash = popen("bash -n 2>/dev/null", "w");
    if (bash == nullptr) throw std::runtime_error("bash cannot be started");
    std::fputs((cure + "\n").c_str(), bash);
    if (pclose(bash) != 0) refused.insert(cure);
  }
  return refused;
}

Verdict with_pasteable_cures(Verdict verdict) {
  for (const Finding& finding : verdict.findings) {
    if (const std::string why = why_not_pasteable(finding.cure); !why.empty())
      throw std::runtime_error(fmt::format("{}: {}", why, finding.cure));
  }
  return verdict;
}

}  // namespace shortcircuit::testing
