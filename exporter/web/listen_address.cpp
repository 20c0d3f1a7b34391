#include "web/listen_address.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

#include "base/text.h"

namespace shortcircuit {
namespace {

constexpr int backlog = 512;
constexpr int first_systemd_descriptor = 3;  // SD_LISTEN_FDS_START of the protocol
constexpr std::string_view examples = ":10067, 127.0.0.1:10067 or [::1]:10067";

std::optional<int> whole_number(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string name_of(int descriptor) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return "";
  if (storage.ss_family == AF_UNIX) {
    const auto* local = reinterpret_cast<const sockaddr_un*>(&storage);
    return fmt::format("unix:{}", local->sun_path);
  }
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&storage), size, host, sizeof(host), port,
                  sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "";
  }
  return storage.ss_family == AF_INET6 ? fmt::format("[{}]:{}", host, port)
                                       : fmt::format("{}:{}", host, port);
}

// -1 with errno set when it cannot be bound.
int bind_one(const addrinfo& target, bool both_families) {
  const int descriptor = socket(target.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  const int on = 1;
  const int v6_only = both_families ? 0 : 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (target.ai_family == AF_INET6) {
    setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only));
  }
  if (bind(descriptor, target.ai_addr, target.ai_addrlen) == 0 &&
      listen(descriptor, backlog) == 0) {
    return descriptor;
  }
  const int reason = errno;
  close(descriptor);
  errno = reason;
  return -1;
}

Result<Listener> open_one(const std::string& text) {
  const auto cannot = [&](std::string_view reason) {
    return fail(Failure::internal, fmt::format("cannot listen on {}: {}", text, reason));
  };
  const auto address = parse_listen_address(text);
  if (!address) return fail(Failure::internal, address.error());
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int problem = getaddrinfo(address->host.empty() ? nullptr : address->host.c_str(),
                                  address->port.c_str(), &hints, &found);
  if (problem != 0) return cannot(gai_strerror(problem));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  std::vector<const addrinfo*> candidates;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) candidates.push_back(one);
  // Every address: one IPv6 socket takes IPv4 as well, where there is IPv6. A name: as in other
  // exporters its IPv4 address, where it has one.
  const int first = address->host.empty() ? AF_INET6 : AF_INET;
  std::stable_partition(candidates.begin(), candidates.end(),
                        [&](const addrinfo* one) { return one->ai_family == first; });
  for (const addrinfo* one : candidates) {
    const int descriptor = bind_one(*one, address->host.empty());
    if (descriptor >= 0) return Listener{descriptor, name_of(descriptor)};
    if (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL) break;
  }
  return cannot(std::strerror(errno));
}

}  // namespace

std::expected<ListenAddress, std::string> parse_listen_address(std::string_view text) {
  const auto wrong = [&](std::string_view what) {
    return std::unexpected(fmt::format("{}: {}", text.empty() ? "\"\"" : text, what));
  };
  const auto colon = text.rfind(':');
  const bool only_digits = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  if (only_digits) return wrong(fmt::format("a port alone; did you mean :{}?", text));
  if (colon == text.npos || text.ends_with(']')) {
    return wrong(fmt::format("want a port too, such as {}", examples));
  }
  ListenAddress address{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
  const bool bracketed = address.host.starts_with('[') && address.host.ends_with(']');
  if (bracketed) {
    address.host = address.host.substr(1, address.host.size() - 2);
    if (!address.host.contains(':')) return wrong("want an IPv6 address between the brackets");
  } else if (address.host.contains("//") || address.host.contains('/')) {
    return wrong(fmt::format("want an address, not a URL: {}", examples));
  } else if (address.host.contains(':')) {
    return wrong("an IPv6 address wants brackets, such as [::1]:10067");
  } else if (address.host.find_first_of("[] ,") != std::string::npos) {
    return wrong(fmt::format("want an address such as {}", examples));
  }
  const auto port = whole_number(address.port);
  if (!port || *port < 0 || *port > 65535) {
    return wrong("want a port from 0 to 65535 after the last colon");
  }
  return address;
}

Result<std::vector<Listener>> open_listeners(const std::vector<std::string>& addresses) {
  std::vector<Listener> listeners;
  for (const std::string& address : addresses) {
    auto listener = open_one(address);
    if (!listener) {
      close_listeners(listeners);
      return std::unexpected(listener.error());
    }
    listeners.push_back(std::move(*listener));
  }
  return listeners;
}

Result<std::vector<Listener>> take_systemd_listeners() {
  const char* process = std::getenv("LISTEN_PID");
  const char* count = std::getenv("LISTEN_FDS");
  const auto sockets = whole_number(count != nullptr ? count : "");
  const bool ours = process != nullptr && whole_number(process) == getpid();
  if (!ours || !sockets || *sockets < 1) {
    return fail(Failure::internal,
                "--web.systemd-socket: systemd handed over no socket (LISTEN_PID and LISTEN_FDS); "
                "start the exporter by a socket unit, or use --web.listen-address");
  }
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) unsetenv(name);
  std::vector<Listener> listeners;
  for (int i = 0; i < *sockets; ++i) {
    const int descriptor = first_systemd_descriptor + i;
    int listening = 0;
    int type = 0;
    socklen_t size = sizeof(int);
    const bool known = getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 &&
                       getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
    if (!known || listening == 0 || type != SOCK_STREAM) {
      return fail(Failure::internal,
                  fmt::format("--web.systemd-socket: descriptor {} is no listening stream socket; "
                              "the socket unit wants ListenStream= and Accept=no",
                              descriptor));
    }
    fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
    listeners.push_back({descriptor, name_of(descriptor)});
  }
  return listeners;
}

void close_listeners(const std::vector<Listener>& listeners) {
  for (const Listener& listener : listeners) close(listener.descriptor);
}

}  // namespace shortcircuit
