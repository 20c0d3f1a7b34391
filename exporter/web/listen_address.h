// Where a server listens: the words of `--web.listen-address`, and the sockets that they come to.
//
// parse_listen_address() is pure. Errors are one sentence: the words, what was expected instead.
// Ownership: open_listeners() gives descriptors that the caller closes; on an error none stay open.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace shortcircuit {

struct ListenAddress {
  std::string host;  // "" = every address of the machine; without brackets
  std::string port;  // digits
  bool operator==(const ListenAddress&) const = default;
};

// `:10067`, `host:10067`, `10.0.0.1:10067`, `[::1]:10067`; port 0 is any free one.
std::expected<ListenAddress, std::string> parse_listen_address(std::string_view text);

struct Listener {
  int descriptor = -1;
  std::string address;  // as bound, with the real port; a path for a unix socket
};

// Binds each address: IPv6 alone for `[…]`, both families for an empty host where the machine has
// both. Failure::internal names the address and the reason of the system.
Result<std::vector<Listener>> open_listeners(const std::vector<std::string>& addresses);

// The sockets that systemd hands over (LISTEN_PID, LISTEN_FDS), which must be listening stream
// sockets. The variables are removed, so that no child takes them for its own.
Result<std::vector<Listener>> take_systemd_listeners();

void close_listeners(const std::vector<Listener>& listeners);

}  // namespace shortcircuit
