// A value that must not be printed: it has no stream operator and no formatter, and its text
// comes out only through reveal(), at the point of use.
//
// A secret given by file is read again at every use, since such files rotate.
// Thread rules: immutable after construction, free to copy.
#pragma once

#include <string>

#include "base/result.h"

namespace shortcircuit {

class Secret {
 public:
  Secret() = default;
  static Secret of_value(std::string value);
  static Secret of_file(std::string path);

  [[nodiscard]] bool empty() const { return value_.empty() && path_.empty(); }
  [[nodiscard]] const std::string& path() const { return path_; }  // "" when given by value
  // The text, without trailing white space. Failure::auth when the file cannot be read; the
  // message names the file.
  [[nodiscard]] Result<std::string> reveal() const;
  bool operator==(const Secret&) const = default;

 private:
  std::string value_;
  std::string path_;
};

}  // namespace shortcircuit
