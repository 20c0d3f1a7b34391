// The only place that sees civetweb: it reads the heads of requests and runs the handler on its
// threads. Clients never reach it. The gate connects on loopback for each complete request and
// sends the head; the handler gives its answer straight back to the gate, which sends it.
#include <arpa/inet.h>
#include <civetweb.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>

#include "base/log.h"
#include "base/text.h"
#include "web/connection_gate.h"
#include "web/request_head.h"
#include "web/server.h"

namespace shortcircuit {
namespace {

using Port = std::uint16_t;

// A request on its way through civetweb, known there by the port that the gate connected from.
struct Passage {
  ConnectionGate::Ticket ticket;
  std::string remote_address;
  int descriptor;
  std::ptrdiff_t header_lines;
  bool answered;
};

std::string_view reason_phrase(int status) {
  mg_connection* no_connection = nullptr;
  return mg_get_response_code_text(no_connection, status);
}

std::string header_of(const mg_request_info& info, const char* name) {
  for (int i = 0; i < info.num_headers; ++i) {
    if (mg_strcasecmp(info.http_headers[i].name, name) == 0) return info.http_headers[i].value;
  }
  return "";
}

sockaddr_in loopback(Port port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Connected to the port of loopback; -1 when that fails. Waits a second at the most, which happens
// only when other programs fill the port's queue.
int connect_to(Port port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  const timeval patience{1, 0};
  setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  const linger no_waiting{1, 0};  // leaves no TIME_WAIT behind, ports would run out
  setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &no_waiting, sizeof(no_waiting));
  const sockaddr_in target = loopback(port);
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&target), sizeof(target)) == 0) {
    return descriptor;
  }
  close(descriptor);
  return -1;
}

Port local_port(int descriptor) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

// Nothing here takes a body. All headers count: a second Content-Length must not hide one.
bool has_body(const mg_request_info& info) {
  for (int i = 0; i < info.num_headers; ++i) {
    const std::string name = to_lower(info.http_headers[i].name);
    if (name == "transfer-encoding") return true;
    if (name == "content-length" && std::string_view(info.http_headers[i].value) != "0")
      return true;
  }
  return false;
}

// Does the client want the connection to stay?
bool stays(const mg_request_info& info) {
  const std::string connection = to_lower(header_of(info, "Connection"));
  if (std::string_view(info.http_version) == "1.0") return connection == "keep-alive";
  return !connection.contains("close");
}

class CivetServer : public Server {
 public:
  CivetServer(WebHandler handler, HeaderLines header_lines)
      : handler_(std::move(handler)), header_lines_(std::move(header_lines)) {}
  ~CivetServer() override {
    if (gate_) gate_->stop();
    stop_civetweb();
    for (const auto& [port, passage] : passages_) close(passage.descriptor);
    mg_exit_library();
  }
  CivetServer(const CivetServer&) = delete;
  CivetServer& operator=(const CivetServer&) = delete;

  Result<void> start(const ServerSettings& settings);
  [[nodiscard]] std::vector<std::string> addresses() const override { return addresses_; }

 private:
  Result<void> start_civetweb(const GateLimits& limits);
  void stop_civetweb();
  void forward(ConnectionGate::Ticket ticket, std::string_view head, const std::string& remote);
  static int on_request(mg_connection* connection, void* self) noexcept;
  static void on_close(const mg_connection* connection);
  static int on_log(const mg_connection* connection, const char* message);
  std::optional<Passage> passage_of(const mg_request_info& info, bool ends);
  GateAnswer answer_to(const mg_request_info& info, const Passage& passage);
  [[nodiscard]] GateAnswer unreadable() const {
    return refusal("400 Bad Request", "This is no request that can be read.\n", header_lines_);
  }

  const WebHandler handler_;
  const HeaderLines header_lines_;
  mg_context* context_ = nullptr;
  Port inner_port_ = 0;
  std::unique_ptr<ConnectionGate> gate_;
  std::vector<std::string> addresses_;
  std::mutex mutex_;
  std::unordered_map<Port, Passage> passages_;  // under mutex_
  std::string last_message_;                    // under mutex_
};

int CivetServer::on_log(const mg_connection* connection, const char* message) {
  auto* self = static_cast<CivetServer*>(mg_get_user_data(mg_get_context(connection)));
  if (self != nullptr) {
    const std::lock_guard lock(self->mutex_);
    self->last_message_ = message;
  }
  log_debug("web server", {{"message", message}});
  return 1;
}

void CivetServer::forward(ConnectionGate::Ticket ticket, std::string_view head,
                          const std::string& remote) {
  if (!may_be_http(head)) {
    gate_->answer(ticket, unreadable());
    return;
  }
  int descriptor = -1;
  {
    // Held from before the connection: on_close() must find the passage however soon it is called,
    // or nobody answers the ticket.
    const std::lock_guard lock(mutex_);
    descriptor = connect_to(inner_port_);
    if (descriptor >= 0) {
      passages_[local_port(descriptor)] = {ticket, remote, descriptor,
                                           shortcircuit::header_lines(head), false};
    }
  }
  if (descriptor < 0) {
    gate_->answer(ticket,
                  refusal("503 Service Unavailable", "The server is busy.\n", header_lines_));
    return;
  }
  // Whatever is missing: civetweb then closes, and on_close() answers.
  (void)send(descriptor, head.data(), head.size(), MSG_NOSIGNAL);
}

std::optional<Passage> CivetServer::passage_of(const mg_request_info& info, bool ends) {
  const std::lock_guard lock(mutex_);
  const auto found = passages_.find(static_cast<Port>(info.remote_port));
  if (found == passages_.end()) return std::nullopt;
  Passage passage = found->second;
  if (ends) {
    passages_.erase(found);
  } else {
    found->second.answered = true;
  }
  return passage;
}

int CivetServer::on_request(mg_connection* connection, void* self) noexcept {
  auto& server = *static_cast<CivetServer*>(self);
  const mg_request_info& info = *mg_get_request_info(connection);
  const std::optional<Passage> passage = server.passage_of(info, false);
  if (!passage) {  // not from the gate: another program of this machine
    mg_send_http_error(connection, 403, "%s", "");
    return 1;
  }
  GateAnswer answer;
  try {
    answer = server.answer_to(info, *passage);
  } catch (const std::exception& error) {
    log_error("a page could not be made", {{"error", error.what()}});
    answer = refusal("500 Internal Server Error", "The page could not be made; the log says why.\n",
                     server.header_lines_);
  }
  server.gate_->answer(passage->ticket, std::move(answer));
  shutdown(passage->descriptor, SHUT_WR);  // or civetweb waits for a body that never comes
  return 1;
}

// civetweb has done with a connection, with or without having called the handler.
void CivetServer::on_close(const mg_connection* connection) {
  auto* self = static_cast<CivetServer*>(mg_get_user_data(mg_get_context(connection)));
  const mg_request_info* info = mg_get_request_info(connection);
  const auto passage = info != nullptr ? self->passage_of(*info, true) : std::nullopt;
  if (!passage) return;
  if (!passage->answered) { self->gate_->answer(passage->ticket, self->unreadable()); }
  close(passage->descriptor);
}

GateAnswer CivetServer::answer_to(const mg_request_info& info, const Passage& passage) {
  // civetweb forgets headers after the 64th and after one that it does not understand; what it
  // forgets may be a body, which would then pass for the client's next request.
  if (info.num_headers != passage.header_lines) return unreadable();
  const WebRequest request{.method = info.request_method != nullptr ? info.request_method : "",
                           .path = info.local_uri != nullptr ? info.local_uri : "",
                           .query = info.query_string != nullptr ? info.query_string : "",
                           .accept_encoding = header_of(info, "Accept-Encoding"),
                           .authorization = header_of(info, "Authorization"),
                           .remote_address = passage.remote_address,
                           .has_body = has_body(info)};
  const WebResponse response = handler_(request);
  GateAnswer answer;
  answer.close = request.has_body || !stays(info);
  answer.head = fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n",
                            response.status, reason_phrase(response.status), response.content_type,
                            response.body ? response.body->size() : 0);
  if (!response.content_encoding.empty()) {
    answer.head += "Content-Encoding: " + response.content_encoding + "\r\n";
  }
  for (const auto& [name, value] : response.headers) answer.head += name + ": " + value + "\r\n";
  if (answer.close) {
    answer.head += "Connection: close\r\n";
  } else if (std::string_view(info.http_version) == "1.0") {
    answer.head += "Connection: keep-alive\r\n";
  }
  answer.head += "\r\n";
  if (request.method != "HEAD") answer.body = response.body;
  return answer;
}

Result<void> CivetServer::start_civetweb(const GateLimits& limits) {
  mg_init_library(0);
  const std::string threads = std::to_string(limits.running);
  const std::string head_bytes = std::to_string(limits.head_bytes + 1024);
  const char* options[] = {"listening_ports",
                           "127.0.0.1:0",
                           "num_threads",
                           threads.c_str(),
                           "request_timeout_ms",
                           "1000",  // the gate sends whole heads at once
                           "max_request_size",
                           head_bytes.c_str(),
                           "enable_directory_listing",
                           "no",
                           nullptr};
  mg_callbacks callbacks{};
  callbacks.log_message = &CivetServer::on_log;
  callbacks.connection_close = &CivetServer::on_close;
  context_ = mg_start(&callbacks, this, options);
  if (context_ == nullptr) {
    const std::lock_guard lock(mutex_);
    return fail(Failure::internal, fmt::format("the web server does not start: {}", last_message_));
  }
  mg_set_request_handler(context_, "**", &CivetServer::on_request, this);
  mg_server_port found{};
  mg_get_server_ports(context_, 1, &found);
  inner_port_ = static_cast<Port>(found.port);
  return {};
}

// civetweb's accepting thread looks for the stop flag only when its poll returns, which may take
// 2 s: a connection to its port wakes it.
void CivetServer::stop_civetweb() {
  if (context_ == nullptr) return;
  std::atomic<bool> stopped{false};
  std::jthread waker;
  try {
    waker = std::jthread([&] {
      while (!stopped) {
        if (const int descriptor = connect_to(inner_port_); descriptor >= 0) close(descriptor);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    });
  } catch (const std::system_error&) {}  // then it takes 2 s
  mg_stop(context_);
  stopped = true;
}

Result<void> CivetServer::start(const ServerSettings& settings) {
  auto listeners = settings.systemd_socket ? take_systemd_listeners()
                                           : open_listeners(settings.listen_addresses);
  if (!listeners) return std::unexpected(listeners.error());
  if (auto started = start_civetweb(settings.limits); !started) {
    close_listeners(*listeners);
    return started;
  }
  for (const Listener& listener : *listeners) addresses_.push_back(listener.address);
  GateLimits limits = settings.limits;
  rlimit descriptors{};
  if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {  // half are for the sources
    limits.connections = std::min<std::size_t>(limits.connections, descriptors.rlim_cur / 2);
  }
  gate_ = std::make_unique<ConnectionGate>(
      std::move(*listeners), limits,
      [this](ConnectionGate::Ticket ticket, std::string_view head, const std::string& remote) {
        forward(ticket, head, remote);
      },
      settings.tls, header_lines_);
  try {
    gate_->start();
  } catch (const std::system_error& error) {
    return fail(Failure::internal, std::string("the web server does not start: ") + error.what());
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Server>> start_server(const ServerSettings& settings, WebHandler handler) {
  auto server = std::make_unique<CivetServer>(std::move(handler), settings.header_lines);
  if (auto started = server->start(settings); !started) return std::unexpected(started.error());
  return server;
}

}  // namespace shortcircuit
