// The only place that sees civetweb.
#include <arpa/inet.h>
#include <civetweb.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "base/text.h"
#include "web/server.h"

namespace shortcircuit {
namespace {

constexpr unsigned feature_ipv6 = 8;  // civetweb.h, mg_check_feature()

std::string_view reason_phrase(int status) {
  mg_connection* no_connection = nullptr;
  return mg_get_response_code_text(no_connection, status);
}

// Connects and closes; whether it works does not matter.
void knock(const std::string& address) {
  const auto colon = address.rfind(':');
  const std::string host =
      address.substr(0, colon) == "0.0.0.0" ? "127.0.0.1" : address.substr(0, colon);
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
  if (inet_pton(AF_INET, host.c_str(), &target.sin_addr) != 1) return;
  const int socket_number = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket_number < 0) return;
  (void)connect(socket_number, reinterpret_cast<const sockaddr*>(&target), sizeof(target));
  close(socket_number);
}

class CivetServer : public Server {
 public:
  explicit CivetServer(WebHandler handler) : handler_(std::move(handler)) {}
  ~CivetServer() override {
    stop();
    mg_exit_library();
  }
  CivetServer(const CivetServer&) = delete;
  CivetServer& operator=(const CivetServer&) = delete;

  Result<void> start(const ServerSettings& settings);
  [[nodiscard]] std::vector<std::string> addresses() const override { return addresses_; }

 private:
  void stop();
  static int on_request(mg_connection* connection, void* self) noexcept;
  static int on_log(const mg_connection* connection, const char* message);
  void answer(mg_connection* connection, const mg_request_info& info);

  WebHandler handler_;
  mg_context* context_ = nullptr;
  std::vector<std::string> addresses_;
  std::mutex mutex_;
  std::string last_message_;
};

std::string header_of(const mg_request_info& info, const char* name) {
  for (int i = 0; i < info.num_headers; ++i) {
    if (mg_strcasecmp(info.http_headers[i].name, name) == 0) return info.http_headers[i].value;
  }
  return "";
}

int CivetServer::on_log(const mg_connection* connection, const char* message) {
  auto* self = static_cast<CivetServer*>(mg_get_user_data(mg_get_context(connection)));
  if (self != nullptr) {
    const std::lock_guard lock(self->mutex_);
    self->last_message_ = message;
  }
  log_debug("web server", {{"message", message}});
  return 1;
}

int CivetServer::on_request(mg_connection* connection, void* self) noexcept {
  try {
    static_cast<CivetServer*>(self)->answer(connection, *mg_get_request_info(connection));
  } catch (const std::exception& error) {
    log_error("a page could not be made", {{"error", error.what()}});
  } catch (...) { log_error("a page could not be made"); }
  return 1;
}

// civetweb's accepting thread looks for the stop flag only when its poll returns, which may take
// 2 s: a connection to each of its own ports wakes it.
void CivetServer::stop() {
  if (context_ == nullptr) return;
  std::atomic<bool> stopped{false};
  const std::jthread waker([&] {
    while (!stopped) {
      for (const std::string& address : addresses_) knock(address);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  mg_stop(context_);
  stopped = true;
}

void CivetServer::answer(mg_connection* connection, const mg_request_info& info) {
  const WebRequest request{.method = info.request_method != nullptr ? info.request_method : "",
                           .path = info.local_uri != nullptr ? info.local_uri : "",
                           .query = info.query_string != nullptr ? info.query_string : "",
                           .accept_encoding = header_of(info, "Accept-Encoding"),
                           .authorization = header_of(info, "Authorization"),
                           .remote_address = info.remote_addr};
  WebResponse response;
  // Nothing here takes a body; one that comes is refused unread.
  if (info.content_length > 0 || !header_of(info, "Transfer-Encoding").empty()) {
    response = text_response(413, "This server takes no request bodies.\n");
    response.headers.emplace_back("Connection", "close");
    mg_disable_connection_keep_alive(connection);
  } else {
    try {
      response = handler_(request);
    } catch (const std::exception& error) {
      log_error("a page could not be made", {{"path", request.path}, {"error", error.what()}});
      response = text_response(500, "The page could not be made; the log says why.\n");
    }
  }
  const std::string_view body = response.body ? std::string_view(*response.body) : "";
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n", response.status,
                  reason_phrase(response.status), response.content_type, body.size());
  if (!response.content_encoding.empty()) {
    head += "Content-Encoding: " + response.content_encoding + "\r\n";
  }
  for (const auto& [name, value] : response.headers) head += name + ": " + value + "\r\n";
  head += "\r\n";
  mg_write(connection, head.data(), head.size());
  if (request.method != "HEAD" && !body.empty()) mg_write(connection, body.data(), body.size());
}

Result<void> CivetServer::start(const ServerSettings& settings) {
  mg_init_library(0);
  std::vector<std::string> ports;
  for (const std::string& address : settings.listen_addresses) {
    if (address.starts_with('[') && mg_check_feature(feature_ipv6) == 0) {
      return fail(Failure::internal,
                  fmt::format("cannot listen on {}: the linked civetweb has no IPv6: use an IPv4 "
                              "address, and a proxy in front of it (see deploy/README.md)",
                              address));
    }
    ports.push_back(address.starts_with(':') ? address.substr(1) : address);
  }
  const std::string listening_ports = join(ports, ",");
  const char* options[] = {"listening_ports",
                           listening_ports.c_str(),
                           "num_threads",
                           "16",
                           "request_timeout_ms",
                           "5000",
                           "enable_keep_alive",
                           "yes",
                           "keep_alive_timeout_ms",
                           "2000",
                           "max_request_size",
                           "16384",
                           "enable_directory_listing",
                           "no",
                           nullptr};
  mg_callbacks callbacks{};
  callbacks.log_message = &CivetServer::on_log;
  context_ = mg_start(&callbacks, this, options);
  if (context_ == nullptr) {
    const std::lock_guard lock(mutex_);
    return fail(Failure::internal,
                fmt::format("cannot listen on {}: {}", join(settings.listen_addresses, ", "),
                            last_message_.empty() ? "the address is not usable" : last_message_));
  }
  mg_set_request_handler(context_, "**", &CivetServer::on_request, this);
  mg_server_port found[32];
  const int count = mg_get_server_ports(context_, 32, found);
  for (int i = 0; i < count && i < static_cast<int>(ports.size()); ++i) {
    const auto colon = ports[static_cast<std::size_t>(i)].rfind(':');
    const std::string host = colon == std::string::npos
                                 ? "0.0.0.0"
                                 : ports[static_cast<std::size_t>(i)].substr(0, colon);
    addresses_.push_back(fmt::format("{}:{}", host, found[i].port));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Server>> start_server(const ServerSettings& settings, WebHandler handler) {
  auto server = std::make_unique<CivetServer>(std::move(handler));
  if (auto started = server->start(settings); !started) return std::unexpected(started.error());
  return server;
}

}  // namespace shortcircuit
