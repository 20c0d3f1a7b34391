#include "base/json.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/json_outline.h"
#include "base/text.h"

namespace shortcircuit {
namespace {

using Json = nlohmann::json;

std::string_view kind_of(const Json* node) {
  return node == nullptr ? "nothing" : node->type_name();
}

Result<Json> parsed(std::string_view body) {
  const JsonOutline outline(body);
  if (outline.too_deep()) {
    return fail(Failure::syntax,
                fmt::format("JSON is nested deeper than {} levels", JsonOutline::deepest_level));
  }
  Json document = Json::parse(outline.kept(), nullptr, false);
  if (document.is_discarded()) {
    const auto begin = body.find_first_not_of(" \t\r\n");
    const bool is_page = begin != std::string_view::npos && body[begin] == '<';
    return fail(Failure::syntax, is_page ? "the answer is a web page, not JSON: a login or a user "
                                           "interface stands at this URL; give that of the API"
                                         : "the answer is not valid JSON");
  }
  return document;
}

// The path from `from` to a value inside of it; nothing when it is not there.
std::optional<std::string> path_to(const Json& wanted, const Json& from, const std::string& path) {
  if (&wanted == &from) return path;
  if (from.is_array()) {
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (auto found = path_to(wanted, from[i], fmt::format("{}[{}]", path, i))) return found;
    }
  } else if (from.is_object()) {
    for (const auto& [key, member] : from.items()) {
      if (auto found = path_to(wanted, member, path.empty() ? key : path + "." + key)) return found;
    }
  }
  return std::nullopt;
}

}  // namespace

bool JsonView::missing() const { return node_ == nullptr || node_->is_null(); }
bool JsonView::has(std::string_view key) const { return is_object() && node_->contains(key); }
bool JsonView::is_object() const { return node_ != nullptr && node_->is_object(); }
bool JsonView::is_array() const { return node_ != nullptr && node_->is_array(); }
bool JsonView::is_string() const { return node_ != nullptr && node_->is_string(); }

std::string JsonView::path() const {
  std::string path = path_to(*nearest_, *root_, "").value_or("");
  if (!path.empty() && !beyond_.empty()) path += '.';
  return path + beyond_;
}

void JsonView::wrong(std::string_view wanted) const {
  const std::string where = path();
  throw SchemaError(fmt::format("{}: want {}, got {}", where.empty() ? "document" : where, wanted,
                                kind_of(node_)));
}

JsonView JsonView::operator[](std::string_view key) const {
  if (!missing() && !node_->is_object()) wrong("an object");
  if (!missing()) {
    const auto found = node_->find(key);
    if (found != node_->end()) return {*found, *root_};
  }
  JsonView nothing = *this;
  nothing.node_ = nullptr;
  if (!nothing.beyond_.empty()) nothing.beyond_ += '.';
  nothing.beyond_ += key;
  return nothing;
}

std::vector<JsonView> JsonView::items() const {
  std::vector<JsonView> views;
  if (missing()) return views;
  if (!node_->is_array()) wrong("an array");
  views.reserve(node_->size());
  for (const Json& item : *node_) views.push_back(JsonView(item, *root_));
  return views;
}

std::vector<std::pair<std::string, JsonView>> JsonView::members() const {
  std::vector<std::pair<std::string, JsonView>> views;
  if (missing()) return views;
  if (!node_->is_object()) wrong("an object");
  views.reserve(node_->size());
  for (const auto& [key, value] : node_->items()) views.emplace_back(key, JsonView(value, *root_));
  return views;
}

std::string JsonView::string() const {
  if (!is_string()) wrong("a string");
  return node_->get<std::string>();
}

std::string JsonView::string_or(std::string_view fallback) const {
  return missing() ? std::string(fallback) : string();
}

bool JsonView::boolean() const {
  if (node_ == nullptr || !node_->is_boolean()) wrong("true or false");
  return node_->get<bool>();
}

bool JsonView::boolean_or(bool fallback) const { return missing() ? fallback : boolean(); }

std::int64_t JsonView::integer() const {
  if (is_string()) {
    const auto& text = node_->get_ref<const std::string&>();
    std::int64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size()) wrong("a whole number");
    return value;
  }
  if (node_ != nullptr && node_->is_number_unsigned()) {
    const auto value = node_->get<std::uint64_t>();
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      wrong("a whole number below 2^63");
    }
    return static_cast<std::int64_t>(value);
  }
  if (node_ != nullptr && node_->is_number_integer()) return node_->get<std::int64_t>();
  if (node_ != nullptr && node_->is_number_float()) {
    const double value = node_->get<double>();
    if (std::trunc(value) == value && std::abs(value) < 9.2e18) {
      return static_cast<std::int64_t>(value);
    }
  }
  wrong("a whole number");
}

std::int64_t JsonView::integer_or(std::int64_t fallback) const {
  return missing() ? fallback : integer();
}

std::uint64_t JsonView::unsigned_integer() const {
  if (is_string()) {
    const auto& text = node_->get_ref<const std::string&>();
    std::uint64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size()) wrong("a whole number");
    return value;
  }
  if (node_ == nullptr || !node_->is_number_unsigned())
    wrong("a whole number that is not negative");
  return node_->get<std::uint64_t>();
}

double JsonView::number() const {
  if (node_ == nullptr || !node_->is_number()) wrong("a number");
  return node_->get<double>();
}

double JsonView::number_or(double fallback) const { return missing() ? fallback : number(); }

std::optional<Time> JsonView::time() const {
  if (missing()) return std::nullopt;
  const std::string text = string();
  if (text.empty()) return std::nullopt;
  const auto time = parse_rfc3339(text);
  if (!time && !is_rfc3339(text)) wrong("a time such as 2006-01-02T15:04:05Z");
  return time;
}

std::vector<std::string> JsonView::strings() const {
  std::vector<std::string> values;
  for (const JsonView& item : items()) values.push_back(item.string());
  return values;
}

JsonDocument::JsonDocument(std::unique_ptr<Json> document) : document_(std::move(document)) {}
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;
JsonDocument::~JsonDocument() = default;

Result<JsonDocument> JsonDocument::parse(std::string_view body) {
  auto document = parsed(body);
  if (!document) return std::unexpected(document.error());
  return JsonDocument(std::make_unique<Json>(*std::move(document)));
}

JsonView JsonDocument::root() const { return {*document_, *document_}; }

Result<void> read_json(std::string_view body, const std::function<void(JsonView)>& read) {
  try {
    const auto document = JsonDocument::parse(body);
    if (!document) return std::unexpected(document.error());
    read(document->root());
    return {};
  } catch (const SchemaError& error) {
    return fail(Failure::schema, error.what());
  } catch (const std::exception& error) {
    return fail(Failure::internal, fmt::format("while reading JSON: {}", error.what()));
  }
}

namespace {

bool segment_matches(std::string_view segment, std::string_view key) {
  if (!segment.ends_with('*')) return segment == key;
  return key.starts_with(segment.substr(0, segment.size() - 1));
}

Json kept_part(const Json& value, const std::vector<std::vector<std::string>>& patterns,
               std::size_t level) {
  if (value.is_array()) {
    Json array = Json::array();
    for (const Json& item : value) array.push_back(kept_part(item, patterns, level));
    return array;
  }
  for (const auto& pattern : patterns) {
    if (pattern.size() == level) return value;
  }
  if (!value.is_object()) return nullptr;
  Json object = Json::object();
  for (const auto& [key, member] : value.items()) {
    std::vector<std::vector<std::string>> matching;
    for (const auto& pattern : patterns) {
      if (segment_matches(pattern[level], key)) matching.push_back(pattern);
    }
    if (!matching.empty()) object[key] = kept_part(member, matching, level + 1);
  }
  return object;
}

void strip_userinfo(Json& value) {
  if (value.is_string()) {
    value = without_userinfo(value.get_ref<const std::string&>());
  } else if (value.is_array()) {
    for (Json& member : value) strip_userinfo(member);
  } else if (value.is_object()) {
    Json clean = Json::object();  // Traefik has objects whose keys are URLs
    for (auto member = value.begin(); member != value.end(); ++member) {
      strip_userinfo(*member);
      clean[without_userinfo(member.key())] = std::move(*member);
    }
    value = std::move(clean);
  }
}

}  // namespace

class JsonEditing {
 public:
  JsonEditing(const JsonEditor& edit, const Json& root) : edit_(edit), root_(root) {}

  void inside(Json& value, const std::string& path) const {
    if (value.is_array()) {
      Json array = Json::array();
      for (Json& element : value) {
        if (keeps(element, path)) array.push_back(std::move(element));
      }
      value = std::move(array);
    } else if (value.is_object()) {
      for (auto member = value.begin(); member != value.end();) {
        const std::string inner = path.empty() ? member.key() : path + "/" + member.key();
        member = keeps(member.value(), inner) ? std::next(member) : value.erase(member);
      }
    }
  }

 private:
  bool keeps(Json& value, const std::string& path) const {
    JsonEdit edited = edit_(path, JsonView(value, root_));
    if (!edited.keep) return false;
    if (edited.text) {
      value = std::move(*edited.text);
    } else {
      inside(value, path);
    }
    return true;
  }

  const JsonEditor& edit_;
  const Json& root_;
};

Result<std::string> keep_fields(std::string_view body, const std::vector<std::string_view>& kept) {
  return keep_fields(body, kept, nullptr);
}

Result<std::string> keep_fields(std::string_view body, const std::vector<std::string_view>& kept,
                                const JsonEditor& edit) {
  try {
    const auto document = parsed(body);
    if (!document) return std::unexpected(document.error());
    std::vector<std::vector<std::string>> patterns;
    for (const std::string_view pattern : kept) patterns.push_back(split(pattern, '/'));
    Json result = kept_part(*document, patterns, 0);
    if (edit) JsonEditing(edit, result).inside(result, "");
    strip_userinfo(result);
    return result.dump(1, ' ', false, Json::error_handler_t::replace);
  } catch (const SchemaError& error) {
    return fail(Failure::schema, error.what());
  } catch (const std::exception& error) {
    return fail(Failure::internal, fmt::format("while reducing JSON: {}", error.what()));
  }
}

std::string json_quote(std::string_view text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace shortcircuit
