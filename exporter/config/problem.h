// What is wrong in a configuration file, in one form for every reader of YAML.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace shortcircuit {

struct ConfigProblem {
  std::string file;
  int line = 0;  // from 1; 0: the file as a whole
  int column = 0;
  std::string path;     // `etcd.members[0].url`; "" = the whole document
  std::string message;  // what is wrong, what was expected, what was perhaps meant; never a secret

  // `file:line:column: path: message`
  [[nodiscard]] std::string text() const;
};

// A file that cannot be read, as the one problem of what should have been read from it. `error` is
// read_file()'s.
std::vector<ConfigProblem> unreadable(const std::string& path, const Error& error,
                                      std::string_view expected);

}  // namespace shortcircuit
