#include "checks/cure.h"

#include <fmt/format.h>

#include "fleet/control_server.h"

namespace shortcircuit {

std::string shell_word(std::string_view text) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+=,-";
  if (!text.empty() && text.find_first_not_of(plain) == std::string_view::npos)
    return std::string(text);
  std::string word = "'";
  for (const char c : text) {
    if (c == '\'') {
      word += "'\\''";
    } else {
      word += c;
    }
  }
  return word + "'";
}

std::string on_node(std::string_view node, std::string_view command) {
  // ssh would take a name that begins with a dash for an option.
  const std::string_view dash = node.starts_with('-') ? "-- " : "";
  // The shell over there reads the command once more: what is quoted for it is quoted for this one.
  const std::string there = fmt::format("sudo {}", command);
  const bool quoted = there.find_first_of("'\"|&;()*$") != std::string::npos;
  return fmt::format("ssh {}{} {}", dash, shell_word(node), quoted ? shell_word(there) : there);
}

std::string login_server_option(const Fleet& fleet) {
  const ControlServer server = control_server_of(fleet);
  return server.url.empty() ? "" : " --login-server=" + shell_word(server.url);
}

std::string etcd_compact_command() {
  return "etcdctl compact \"$(etcdctl endpoint status -w json | grep -o '\"revision\":[0-9]*' | "
         "head "
         "-1 | cut -d: -f2)\"";
}

}  // namespace shortcircuit
