// Reads YAML strictly.
//
// A reading function asks a YamlMapping for each key that it knows. What is wrong is collected,
// with its place, and reading goes on, so that one run reports everything: wrong types, values
// that a parse function refuses, keys written twice, keys that nobody asked for.
// The same reading function, run by describe(), lists the keys it asks for: documents cannot
// differ from the program.
//
// `${NAME}` in a scalar is the environment variable NAME, `$${` is a literal `${`. Messages quote
// what stands in the file, never what a variable held.
// Ownership: a YamlMapping and a Scalar borrow from the reader.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.h"

namespace shortcircuit {

// The value of an environment variable; nothing when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
std::optional<std::string> process_environment(const std::string& name);

struct Scalar {
  std::string text;     // variables replaced
  std::string written;  // as in the file
  bool plain = false;   // without quotes
};

// A value, or the sentence that says what was expected instead.
template <class T>
using Parsed = std::expected<T, std::string>;

struct Place {
  int line = 0;
  int column = 0;
  std::string path;
};

template <class T>
struct Placed {
  T value;
  Place place;
};

// One key as the reference shows it.
struct Key {
  std::string_view name;
  std::string_view description;
  std::string_view fallback = {};  // "" = none; shown as code, so without backticks
  bool required = false;
  bool secret = false;  // in a replay an unset variable is no problem here
  bool shared = false;  // a mapping of the same form in several sections: described once
};

struct KeyDescription {
  std::string section;  // `etcd.members[]`; "" = the document
  std::string key;
  std::string type;
  std::string fallback;
  bool required = false;
  std::string description;
};

class YamlReaderState;
struct YamlNode;

class YamlMapping {
 public:
  // Is there anything written for this key? (Does not count as asking for it.)
  [[nodiscard]] bool written(std::string_view key) const;
  // What is written, in its order; for mappings whose keys are names.
  [[nodiscard]] std::vector<std::string> keys() const;
  // Is it written, but as a list without elements or as nothing?
  [[nodiscard]] bool empty_list(std::string_view key) const;
  // True while describe() runs: there are no values, and everything has to be asked for.
  [[nodiscard]] bool describing() const;

  // Nothing when absent, or wrong (then a problem has been recorded).
  template <class T, class Parse>
  std::optional<T> value(const Key& key, std::string_view type, Parse parse) {
    const std::optional<Placed<Scalar>> scalar = ask_scalar(key, type);
    if (!scalar) return std::nullopt;
    return keep<T>(parse(scalar->value), scalar->place);
  }
  // Like value(), for a list of scalars; elements that are wrong are left out.
  template <class T, class Parse>
  std::vector<Placed<T>> values(const Key& key, std::string_view type, Parse parse) {
    std::vector<Placed<T>> kept;
    for (const Placed<Scalar>& scalar : ask_scalars(key, type)) {
      if (std::optional<T> element = keep<T>(parse(scalar.value), scalar.place)) {
        kept.push_back({std::move(*element), scalar.place});
      }
    }
    return kept;
  }
  // `true` or `false`.
  std::optional<bool> boolean(const Key& key);

  // Reads a mapping below this one; a null counts as an empty one. False when it is absent.
  using Body = std::function<void(YamlMapping&)>;
  bool mapping(const Key& key, const Body& body);
  // Reads each mapping of a list.
  void each(const Key& key, const Body& body);
  // Keys that nobody asks for are no problem here (files of other programs).
  void ignore_unknown() { strict_ = false; }

  [[nodiscard]] const Place& place() const { return place_; }
  // Where the value of `key` stands; the place of this mapping when it is not written.
  [[nodiscard]] Place place_of(std::string_view key) const;
  void problem(const Place& place, std::string message);
  void problem(std::string_view key, std::string message) {
    problem(place_of(key), std::move(message));
  }
  // Takes over what was found in another file.
  void problem(ConfigProblem other);
  [[nodiscard]] const std::string& file() const;
  // Of the environment that the file is read with.
  [[nodiscard]] std::optional<std::string> variable(const std::string& name) const;

 private:
  friend class YamlReader;
  YamlMapping(YamlReaderState& state, const YamlNode* node, Place place, std::string section);
  std::optional<Placed<Scalar>> ask_scalar(const Key& key, std::string_view type);
  std::vector<Placed<Scalar>> ask_scalars(const Key& key, std::string_view type);
  const YamlNode* ask(const Key& key, std::string_view type);
  std::optional<Scalar> expand(const YamlNode& node, const Place& place, bool secret);
  [[nodiscard]] Place child_place(std::string_view key, const YamlNode& node) const;
  void run(const Key& key, const YamlNode& node, Place place, const Body& body);
  void report_unknown();

  template <class T>
  std::optional<T> keep(Parsed<T> parsed, const Place& place) {
    if (parsed) return std::move(*parsed);
    problem(place, std::move(parsed.error()));
    return std::nullopt;
  }

  YamlReaderState& state_;
  const YamlNode* node_;
  Place place_;
  std::string section_;
  std::vector<std::string> known_;
  bool strict_ = true;
};

class YamlReader {
 public:
  // `file` is for messages only.
  // `example` is a section that the file may have, for who wrote none.
  YamlReader(std::string file, std::string_view text, std::string_view example,
             Environment environment, bool tolerate_unset_secrets = false);
  ~YamlReader();

  // Reads the document, which must be a mapping. `body` is not run when the text is no YAML.
  void read(const YamlMapping::Body& body);
  // All problems, in the order of their places; those of other files last.
  [[nodiscard]] std::vector<ConfigProblem> problems() const;

  static std::vector<KeyDescription> describe(const YamlMapping::Body& body);

 private:
  std::unique_ptr<YamlReaderState> state_;
};

}  // namespace shortcircuit
