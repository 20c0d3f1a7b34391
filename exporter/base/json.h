// Reading JSON answers. The only door to the JSON library for the rest of the exporter.
//
// A JsonView is a cursor into a document and knows its path. Getters throw SchemaError with that
// path and what was wanted; read_json() is the wall that turns it into Failure::schema, so a
// parser reads like a list of fields. Rules that upstreams taught:
//   - missing and null are one case (Go sends null for empty lists);
//   - numbers are range-checked; 64-bit numbers may come as decimal strings;
//   - objects nested deeper than 256 levels are refused before parsing (Failure::syntax);
//   - `managedFields` is dropped while parsing: it is most of a Kubernetes object.
// Ownership: a view borrows from the document and must not outlive the callback of read_json().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace shortcircuit {

class SchemaError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class JsonView {
 public:
  [[nodiscard]] bool missing() const;                  // absent or null
  [[nodiscard]] bool has(std::string_view key) const;  // the member is there, be it null
  [[nodiscard]] bool is_object() const;
  [[nodiscard]] bool is_array() const;
  [[nodiscard]] bool is_string() const;

  // A missing field gives a missing view; a field of something that is no object is an error.
  JsonView operator[](std::string_view key) const;
  // Elements of an array; none when missing.
  [[nodiscard]] std::vector<JsonView> items() const;
  // Members of an object in the document's order of keys (sorted); none when missing.
  [[nodiscard]] std::vector<std::pair<std::string, JsonView>> members() const;

  // Without `fallback` a missing value is an error; a value of another type always is.
  [[nodiscard]] std::string string() const;
  [[nodiscard]] std::string string_or(std::string_view fallback) const;
  [[nodiscard]] bool boolean() const;
  [[nodiscard]] bool boolean_or(bool fallback) const;
  // Number or decimal string.
  [[nodiscard]] std::int64_t integer() const;
  [[nodiscard]] std::int64_t integer_or(std::int64_t fallback) const;
  [[nodiscard]] std::uint64_t unsigned_integer() const;
  [[nodiscard]] double number() const;
  [[nodiscard]] double number_or(double fallback) const;
  // RFC 3339; nothing when missing, empty, Go's zero time or of a year that means "for ever" (see
  // base/time.h); any other text is an error.
  [[nodiscard]] std::optional<Time> time() const;
  // Strings of an array; none when missing.
  [[nodiscard]] std::vector<std::string> strings() const;

  [[noreturn]] void wrong(std::string_view wanted) const;

 private:
  friend class JsonDocument;
  friend class JsonEditing;
  [[nodiscard]] std::string path() const;  // from the root; searches all of the document
  JsonView(const nlohmann::json& node, const nlohmann::json& root)
      : node_(&node), nearest_(&node), root_(&root) {}
  const nlohmann::json* node_;     // null: missing
  const nlohmann::json* nearest_;  // itself or, of what is missing, the innermost that is there …
  std::string beyond_;             // … and the keys that led on from it
  const nlohmann::json* root_;
};

class JsonDocument {
 public:
  static Result<JsonDocument> parse(std::string_view body);
  JsonDocument(JsonDocument&&) noexcept;
  JsonDocument& operator=(JsonDocument&&) noexcept;
  ~JsonDocument();
  [[nodiscard]] JsonView root() const;

 private:
  explicit JsonDocument(std::unique_ptr<nlohmann::json> document);
  std::unique_ptr<nlohmann::json> document_;
};

// Parses `body` and gives its root to `read`, which fills what the caller captured.
Result<void> read_json(std::string_view body, const std::function<void(JsonView)>& read);

// What a recording may keep of an answer: the body again with only the fields that `kept` names.
// A pattern is a path of keys joined by `/`; `*` stands for any key, `Paths*` for any key that
// begins so (a way to name keys that hold a slash themselves), array elements are passed
// through without a segment of their own; a pattern that ends names a value kept whole
// (`items/metadata/name`, `items/spec/taints`). Strings that are URLs lose their user information.
// Failure::syntax when the body is no JSON.
Result<std::string> keep_fields(std::string_view body, const std::vector<std::string_view>& kept);

// The same with a closer look at what the patterns keep. `edit` is asked for every member of an
// object (`path`: its keys from the root joined by `/`) and every element of an array (`path`: that
// of the array), outer ones first; what it drops is not looked into.
struct JsonEdit {
  bool keep = true;
  std::optional<std::string> text;  // a string that takes the value's place
};
using JsonEditor = std::function<JsonEdit(std::string_view path, JsonView value)>;
Result<std::string> keep_fields(std::string_view body, const std::vector<std::string_view>& kept,
                                const JsonEditor& edit);

// Writing JSON (answers of probes, /api/findings): quotes and escapes; invalid UTF-8 is replaced.
std::string json_quote(std::string_view text);

}  // namespace shortcircuit
