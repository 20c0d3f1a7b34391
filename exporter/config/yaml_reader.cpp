#include "config/yaml_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>

#include "base/text.h"
#include "config/yaml_tree.h"

namespace shortcircuit {

class YamlReaderState {
 public:
  std::string file;
  Environment environment;
  bool tolerate_unset_secrets = false;
  YamlTree tree;
  std::vector<ConfigProblem> problems;
  bool describing = false;
  std::vector<KeyDescription> keys;
  std::set<std::string> described;  // shared sections

  void problem(int line, int column, std::string path, std::string message) {
    problems.push_back({file, line, column, std::move(path), std::move(message)});
  }
};

namespace {

std::string joined(std::string_view path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

std::string suggestion(const std::string& word, const std::vector<std::string>& known) {
  std::optional<std::string> best = nearest(word, known);
  if (!best && word.size() >= 3) {
    for (const std::string& candidate : known) {
      if (candidate.contains(word) || word.contains(candidate)) best = best.value_or(candidate);
    }
  }
  return best ? fmt::format("; did you mean {}?", *best) : "";
}

bool is_name(std::string_view text) {
  return !text.empty() && (text[0] < '0' || text[0] > '9') &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '_';
         });
}

}  // namespace

std::optional<std::string> process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

std::string ConfigProblem::text() const {
  std::string shown = file;
  if (line > 0) shown += fmt::format(":{}:{}", line, column);
  if (!path.empty()) shown += ": " + path;
  return shown + ": " + message;
}

std::vector<ConfigProblem> unreadable(const std::string& path, const Error& error,
                                      std::string_view expected) {
  // The problem begins with the path already.
  const std::string why = error.message.substr(error.message.rfind(": ") + 2);
  return {{path, 0, 0, "", fmt::format("cannot be read: {}; expected {}", why, expected)}};
}

YamlMapping::YamlMapping(YamlReaderState& state, const YamlNode* node, Place place,
                         std::string section)
    : state_(state), node_(node), place_(std::move(place)), section_(std::move(section)) {}

bool YamlMapping::written(std::string_view key) const {
  return node_ != nullptr && node_->find(key) != nullptr;
}

std::vector<std::string> YamlMapping::keys() const {
  std::vector<std::string> names;
  if (node_ == nullptr) return names;
  for (const YamlNode::Member& member : node_->members) names.push_back(member.key);
  return names;
}

bool YamlMapping::empty_list(std::string_view key) const {
  const YamlNode* node = node_ == nullptr ? nullptr : node_->find(key);
  return node != nullptr && node->kind != YamlNode::Kind::scalar && node->items.empty() &&
         node->members.empty();
}

bool YamlMapping::describing() const { return state_.describing; }

const std::string& YamlMapping::file() const { return state_.file; }

void YamlMapping::problem(const Place& place, std::string message) {
  state_.problem(place.line, place.column, place.path, std::move(message));
}

void YamlMapping::problem(ConfigProblem other) { state_.problems.push_back(std::move(other)); }

Place YamlMapping::child_place(std::string_view key, const YamlNode& node) const {
  Place place{node.line, node.column, joined(place_.path, key)};
  // A block or an absent value begins on another line than the key that people look for.
  if (node.kind == YamlNode::Kind::scalar) return place;
  for (const YamlNode::Member& member : node_->members) {
    if (member.key == key) {
      place.line = member.line;
      place.column = member.column;
    }
  }
  return place;
}

Place YamlMapping::place_of(std::string_view key) const {
  const YamlNode* node = node_ == nullptr ? nullptr : node_->find(key);
  if (node != nullptr) return child_place(key, *node);
  return {place_.line, place_.column, joined(place_.path, key)};
}

const YamlNode* YamlMapping::ask(const Key& key, std::string_view type) {
  known_.emplace_back(key.name);
  if (state_.describing) {
    state_.keys.push_back({section_, std::string(key.name), std::string(type),
                           std::string(key.fallback), key.required, std::string(key.description)});
    return nullptr;
  }
  const YamlNode* node = node_->find(key.name);
  if (node == nullptr && key.required) {
    problem(key.name, fmt::format("missing; expected {}", type));
  }
  return node;
}

std::optional<std::string> YamlMapping::variable(const std::string& name) const {
  return state_.environment ? state_.environment(name) : std::nullopt;
}

std::optional<Scalar> YamlMapping::expand(const YamlNode& node, const Place& place, bool secret) {
  Scalar scalar{"", node.text, node.plain};
  std::string_view rest = node.text;
  if (!state_.environment) {  // a file that knows no variables
    scalar.text = node.text;
    return scalar;
  }
  while (!rest.empty()) {
    const auto dollar = rest.find('$');
    scalar.text += rest.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    rest.remove_prefix(dollar);
    if (rest.starts_with("$${")) {
      scalar.text += "${";
      rest.remove_prefix(3);
    } else if (rest.starts_with("${")) {
      const auto end = rest.find('}');
      const std::string name(rest.substr(2, end == std::string_view::npos ? end : end - 2));
      if (end == std::string_view::npos || !is_name(name)) {
        problem(place,
                "expected ${NAME} with the name of an environment variable; write $${ for "
                "a literal ${");
        return std::nullopt;
      }
      std::optional<std::string> value = state_.environment(name);
      if (!value && secret && state_.tolerate_unset_secrets) value = "unset";
      if (!value) {
        problem(place, fmt::format("the environment variable {} is not set; expected it to hold "
                                   "this value",
                                   name));
        return std::nullopt;
      }
      scalar.text += *value;
      rest.remove_prefix(end + 1);
    } else {
      scalar.text += '$';
      rest.remove_prefix(1);
    }
  }
  return scalar;
}

std::optional<Placed<Scalar>> YamlMapping::ask_scalar(const Key& key, std::string_view type) {
  const YamlNode* node = ask(key, type);
  if (node == nullptr) return std::nullopt;
  const Place place = child_place(key.name, *node);
  if (node->kind != YamlNode::Kind::scalar) {
    problem(place, fmt::format("expected {}, got {}", type, kind_name(*node)));
    return std::nullopt;
  }
  std::optional<Scalar> scalar = expand(*node, place, key.secret);
  if (!scalar) return std::nullopt;
  return Placed<Scalar>{std::move(*scalar), place};
}

std::vector<Placed<Scalar>> YamlMapping::ask_scalars(const Key& key, std::string_view type) {
  const YamlNode* node = ask(key, fmt::format("a list, each {}", type));
  if (node == nullptr || node->kind == YamlNode::Kind::null) return {};
  const Place place = child_place(key.name, *node);
  if (node->kind != YamlNode::Kind::sequence) {
    problem(place, fmt::format("expected a list, each {}, got {}; write it as [ … ]", type,
                               kind_name(*node)));
    return {};
  }
  std::vector<Placed<Scalar>> scalars;
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    const YamlNode& item = *node->items[i];
    const Place item_place{item.line, item.column, fmt::format("{}[{}]", place.path, i)};
    if (item.kind != YamlNode::Kind::scalar) {
      problem(item_place, fmt::format("expected {}, got {}", type, kind_name(item)));
    } else if (std::optional<Scalar> scalar = expand(item, item_place, key.secret)) {
      scalars.push_back({std::move(*scalar), item_place});
    }
  }
  return scalars;
}

std::optional<bool> YamlMapping::boolean(const Key& key) {
  constexpr std::string_view type = "true or false";
  return value<bool>(key, type, [&](const Scalar& scalar) -> Parsed<bool> {
    if (scalar.plain && scalar.text == "true") return true;
    if (scalar.plain && scalar.text == "false") return false;
    const std::string lower = to_lower(scalar.text);
    std::string_view meant;
    if (lower == "yes" || lower == "on" || lower == "y" || lower == "true" || lower == "1")
      meant = "true";
    if (lower == "no" || lower == "off" || lower == "n" || lower == "false" || lower == "0")
      meant = "false";
    if (meant.empty())
      return std::unexpected("expected true or false without quotes, got other text");
    return std::unexpected(fmt::format("expected true or false, got {}{}{}; did you mean {}?",
                                       scalar.plain ? "" : "\"", scalar.written,
                                       scalar.plain ? "" : "\"", meant));
  });
}

void YamlMapping::run(const Key& key, const YamlNode& node, Place place, const Body& body) {
  if (node.kind != YamlNode::Kind::mapping && node.kind != YamlNode::Kind::null) {
    problem(place,
            fmt::format("expected a mapping (`{}: {{…}}`), got {}", key.name, kind_name(node)));
    return;
  }
  YamlMapping child(state_, &node, std::move(place), "");
  body(child);
  child.report_unknown();
}

bool YamlMapping::mapping(const Key& key, const Body& body) {
  const YamlNode* node = ask(key, "a mapping");
  if (state_.describing) {
    const std::string section = key.shared ? std::string(key.name) : joined(section_, key.name);
    if (key.shared && !state_.described.insert(section).second) return false;
    YamlMapping child(state_, nullptr, {}, section);
    body(child);
    return false;
  }
  if (node == nullptr) return false;
  run(key, *node, child_place(key.name, *node), body);
  return true;
}

void YamlMapping::each(const Key& key, const Body& body) {
  const YamlNode* node = ask(key, "a list of mappings");
  if (state_.describing) {
    YamlMapping child(state_, nullptr, {}, joined(section_, key.name) + "[]");
    body(child);
    return;
  }
  if (node == nullptr) return;
  const Place place = child_place(key.name, *node);
  if (node->kind != YamlNode::Kind::sequence && node->kind != YamlNode::Kind::null) {
    problem(place, fmt::format("expected a list of mappings, got {}; begin each with `- `",
                               kind_name(*node)));
    return;
  }
  if (node->items.empty() && key.required) {
    problem(place, "the list is empty; expected at least one entry");
  }
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    const YamlNode& item = *node->items[i];
    run({"-", ""}, item, {item.line, item.column, fmt::format("{}[{}]", place.path, i)}, body);
  }
}

void YamlMapping::report_unknown() {
  if (node_ == nullptr || !strict_) return;
  for (const YamlNode::Slip& slip : node_->slips) {
    problem(
        {slip.line, slip.column, slip.key.empty() ? place_.path : joined(place_.path, slip.key)},
        slip.message);
  }
  std::vector<std::string> sorted = known_;
  std::sort(sorted.begin(), sorted.end());
  for (const YamlNode::Member& member : node_->members) {
    if (std::binary_search(sorted.begin(), sorted.end(), member.key)) continue;
    const std::string shown = shown_key(member.key);
    const Place place{member.line, member.column, joined(place_.path, shown)};
    if (member.key.contains(':') && shown.size() < 40) {
      problem(place, "expected a space after the colon");
      continue;
    }
    problem(place, fmt::format("unknown key; expected one of {}{}", join(sorted, ", "),
                               suggestion(shown, known_)));
  }
}

YamlReader::YamlReader(std::string file, std::string_view text, std::string_view example,
                       Environment environment, bool tolerate_unset_secrets)
    : state_(std::make_unique<YamlReaderState>()) {
  state_->file = std::move(file);
  state_->environment = std::move(environment);
  state_->tolerate_unset_secrets = tolerate_unset_secrets;
  if (auto tree = parse_yaml(text, example)) {
    state_->tree = std::move(*tree);
  } else {
    state_->problem(tree.error().line, tree.error().column, "", tree.error().message);
  }
}

YamlReader::~YamlReader() = default;

void YamlReader::read(const YamlMapping::Body& body) {
  if (state_->tree.root == nullptr) return;
  YamlMapping root(*state_, state_->tree.root,
                   {state_->tree.root->line, state_->tree.root->column, ""}, "");
  body(root);
  root.report_unknown();
}

std::vector<ConfigProblem> YamlReader::problems() const {
  std::vector<ConfigProblem> sorted = state_->problems;
  const auto place = [&](const ConfigProblem& problem) {
    return std::tuple(problem.file != state_->file, problem.line, problem.column);
  };
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const auto& a, const auto& b) { return place(a) < place(b); });
  return sorted;
}

std::vector<KeyDescription> YamlReader::describe(const YamlMapping::Body& body) {
  YamlReaderState state;
  state.describing = true;
  YamlMapping root(state, nullptr, {}, "");
  body(root);
  return state.keys;
}

}  // namespace shortcircuit
