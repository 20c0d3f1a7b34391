#include "app/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/log.h"

namespace shortcircuit {

void say_ready_to_service_manager() {
  const char* variable = std::getenv("NOTIFY_SOCKET");
  if (variable == nullptr || *variable == '\0') return;
  const std::string_view name = variable;
  const auto cannot = [&](const char* reason) {
    log_warn("the service manager does not hear that the exporter is ready",
             {{"NOTIFY_SOCKET", std::string(name)}, {"error", reason}});
  };
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const bool known = name.starts_with('/') || name.starts_with('@');
  if (!known || name.size() >= sizeof(address.sun_path)) {
    cannot("expected the path of a unix socket, or @ and an abstract name");
    return;
  }
  std::copy(name.begin(), name.end(), address.sun_path);
  if (name.front() == '@') address.sun_path[0] = '\0';  // abstract names begin with a zero
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  constexpr std::string_view message = "READY=1";
  if (descriptor < 0 || sendto(descriptor, message.data(), message.size(), MSG_NOSIGNAL,
                               reinterpret_cast<const sockaddr*>(&address), size) < 0) {
    cannot(std::strerror(errno));
  }
  if (descriptor >= 0) close(descriptor);
}

}  // namespace shortcircuit
