#include "config/yaml_tree.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "base/text.h"

namespace shortcircuit {
namespace {

// Builds the tree from the parser's events.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(YamlTree& tree) : tree_(tree) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(make(mark, anchor, YamlNode::Kind::null), mark);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found != anchors_.end()) add(found->second, mark);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode* node = make(mark, anchor, YamlNode::Kind::scalar);
    node->text = value;
    node->plain = tag == "?";
    add(node, mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(make(mark, anchor, YamlNode::Kind::sequence), mark);
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(make(mark, anchor, YamlNode::Kind::mapping), mark);
  }
  void OnMapEnd() override {
    YamlNode* mapping = open_.back().node;
    open_.pop_back();
    merge(*mapping);
  }

 private:
  struct Open {
    YamlNode* node;
    const YamlNode* key = nullptr;  // of a mapping, while its value is awaited
    int key_line = 0;
    int key_column = 0;
  };

  YamlNode* make(const YAML::Mark& mark, YAML::anchor_t anchor, YamlNode::Kind kind) {
    YamlNode& node = tree_.nodes.emplace_back();
    node.kind = kind;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    if (anchor != 0) anchors_[anchor] = &node;
    return &node;
  }

  void open(YamlNode* node, const YAML::Mark& mark) {
    add(node, mark);
    open_.push_back({node});
  }

  void add(YamlNode* node, const YAML::Mark& mark) {
    if (open_.empty()) {
      tree_.root = node;
      return;
    }
    Open& parent = open_.back();
    if (parent.node->kind == YamlNode::Kind::sequence) {
      parent.node->items.push_back(node);
    } else if (parent.key == nullptr) {
      parent.key = node;
      parent.key_line = mark.line + 1;
      parent.key_column = mark.column + 1;
    } else {
      const YamlNode* key = std::exchange(parent.key, nullptr);
      add_member(*parent.node, *key, parent.key_line, parent.key_column, node);
    }
  }

  static void add_member(YamlNode& mapping, const YamlNode& key, int line, int column,
                         YamlNode* value) {
    if (key.kind != YamlNode::Kind::scalar) {
      mapping.slips.push_back(
          {"", line, column, fmt::format("{} as a key; expected a name", kind_name(key))});
      return;
    }
    const auto same = std::find_if(mapping.members.begin(), mapping.members.end(),
                                   [&](const auto& member) { return member.key == key.text; });
    if (same != mapping.members.end()) {
      mapping.slips.push_back(
          {shown_key(key.text), line, column,
           fmt::format("this key is written twice, first in line {}; expected it once: remove one",
                       same->line)});
      return;
    }
    mapping.members.push_back({key.text, line, column, value});
  }

  // `<<: *anchor` brings the keys of another mapping; those written here win.
  static void merge(YamlNode& mapping) {
    const auto found = std::find_if(mapping.members.begin(), mapping.members.end(),
                                    [](const auto& member) { return member.key == "<<"; });
    if (found == mapping.members.end() || found->value->kind != YamlNode::Kind::mapping) return;
    const YamlNode& source = *found->value;
    mapping.members.erase(found);
    if (&source == &mapping) return;
    for (const YamlNode::Member& member : source.members) {
      if (mapping.find(member.key) == nullptr) mapping.members.push_back(member);
    }
  }

  YamlTree& tree_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlNode*> anchors_;
};

// A frequent slip whose message from the parser says nothing: `{key: ${NAME}}`.
std::string syntax_hint(std::string_view text, int line) {
  const std::vector<std::string> lines = split(text, '\n');
  for (int i = std::max(0, line - 3); i < line && i < static_cast<int>(lines.size()); ++i) {
    const std::string& candidate = lines[static_cast<std::size_t>(i)];
    const auto variable = candidate.find("${");
    if (variable != std::string::npos && candidate.find_first_of("{[") < variable) {
      return "; between braces write \"${NAME}\" in quotes";
    }
    if (candidate.find_first_not_of(' ') != std::string::npos &&
        candidate[candidate.find_first_not_of(' ')] == '\t') {
      return "; expected spaces for indentation, got a tab";
    }
  }
  return "";
}

bool blank(std::string_view text) {
  for (const std::string& line : split(text, '\n')) {
    const std::string_view content = trim(line);
    if (!content.empty() && content.front() != '#' && content != "---" && content != "...") {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string kind_name(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null: return "nothing";
    case YamlNode::Kind::scalar: return "a single value";
    case YamlNode::Kind::sequence: return "a list";
    case YamlNode::Kind::mapping: return "a mapping";
  }
  return "";
}

std::string shown_key(std::string_view key) {
  std::string shown;
  for (const char c : key.substr(0, std::min<std::size_t>(key.find(':'), 40))) {
    shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  }
  return shown;
}

namespace {

// Where the first byte stands that is no UTF-8, line and column from 1.
std::optional<std::pair<int, int>> invalid_utf8(std::string_view text) {
  std::string valid(text);
  replace_invalid_utf8(valid);
  if (valid == text) return std::nullopt;
  const auto place = std::ranges::mismatch(text, valid).in1 - text.begin();
  const std::string_view before = text.substr(0, static_cast<std::size_t>(place));
  const std::string_view line = before.substr(before.rfind('\n') + 1);  // npos + 1 is 0
  const auto characters = std::ranges::count_if(
      line, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; });
  return std::pair(static_cast<int>(std::ranges::count(before, '\n')) + 1,
                   static_cast<int>(characters) + 1);
}

}  // namespace

std::expected<YamlTree, YamlMistake> parse_yaml(std::string_view text, std::string_view example) {
  const auto refuse = [](int line, int column, std::string message) {
    return std::unexpected(YamlMistake{line, column, std::move(message)});
  };
  if (blank(text)) {
    return refuse(0, 0, fmt::format("the file is empty; expected sections such as `{}`", example));
  }
  if (text.contains('\0')) {
    return refuse(0, 0, "the file holds a zero byte; expected text in UTF-8");
  }
  if (const auto place = invalid_utf8(text)) {
    return refuse(place->first, place->second, "a byte that is no UTF-8; expected text in UTF-8");
  }
  YamlTree tree;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeBuilder builder(tree);
    if (!parser.HandleNextDocument(builder)) tree.root = nullptr;
    YamlTree rest;
    TreeBuilder other(rest);
    if (parser && parser.HandleNextDocument(other) && rest.root != nullptr) {
      return refuse(rest.root->line, rest.root->column,
                    "a second document starts here; expected one");
    }
  } catch (const YAML::Exception& error) {
    const bool placed = !error.mark.is_null();
    const int line = placed ? error.mark.line + 1 : 0;
    return refuse(line, placed ? error.mark.column + 1 : 0,
                  fmt::format("no valid YAML: {}{}", error.msg, syntax_hint(text, line)));
  }
  if (tree.root != nullptr && tree.root->kind != YamlNode::Kind::mapping) {
    return refuse(tree.root->line, tree.root->column,
                  fmt::format("expected a mapping with sections such as `{}`, got {}", example,
                              kind_name(*tree.root)));
  }
  return tree;
}

}  // namespace shortcircuit
