// The document as a tree of our own: the library's forgets quotes and hides keys written twice.
// The only door to the YAML library. Sources of the format: YAML 1.2, with 1.1's merge keys (`<<`).
//
// Lines and columns count from 1. A tree owns its nodes and may be moved; pointers into it stay.
#pragma once

#include <deque>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace shortcircuit {

struct YamlNode {
  enum class Kind { null, scalar, sequence, mapping };
  struct Member {
    std::string key;
    int line;
    int column;
    const YamlNode* value;
  };
  Kind kind = Kind::null;
  std::string text;
  bool plain = false;
  int line = 0;
  int column = 0;
  std::vector<const YamlNode*> items;
  std::vector<Member> members;
  struct Slip {
    std::string key;
    int line;
    int column;
    std::string message;
  };
  std::vector<Slip> slips;  // what is wrong with the keys themselves; reported with the full path

  [[nodiscard]] const YamlNode* find(std::string_view key) const {
    for (const Member& member : members) {
      if (member.key == key) return member.value;
    }
    return nullptr;
  }
};

struct YamlTree {
  std::deque<YamlNode> nodes;  // aliases may point anywhere, also in circles
  const YamlNode* root = nullptr;
};

// Why there is no document. Line 0: the file as a whole.
struct YamlMistake {
  int line = 0;
  int column = 0;
  std::string message;
};

// One document, which must be a mapping.
std::expected<YamlTree, YamlMistake> parse_yaml(std::string_view text, std::string_view example);

// `a list`, `a single value`: for messages.
std::string kind_name(const YamlNode& node);
// Keys come from the file: short, printable, and without what may be a value (`password:secret`).
std::string shown_key(std::string_view key);

}  // namespace shortcircuit
