// What is wrong in a configuration file, in one form for every reader of YAML.
#pragma once

#include <string>

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

}  // namespace shortcircuit
