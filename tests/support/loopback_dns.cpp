#include "support/loopback_dns.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <string_view>

namespace shortcircuit::testing {

namespace {

constexpr int type_a = 1;
constexpr int type_aaaa = 28;

void put16(std::string& bytes, int value) {
  bytes.push_back(static_cast<char>(value >> 8));
  bytes.push_back(static_cast<char>(value & 0xFF));
}

// The name of the question and where its end lies.
std::string name_at(std::string_view packet, std::size_t& at) {
  std::string name;
  while (at < packet.size() && packet[at] != 0) {
    const auto length = static_cast<std::size_t>(packet[at]);
    if (!name.empty()) name += ".";
    name += packet.substr(at + 1, length);
    at += 1 + length;
  }
  ++at;
  return name;
}

// The answer; "" for silence.
std::string answer_to(const DnsZone& zone, std::string_view packet) {
  if (packet.size() < 17) return "";
  std::size_t at = 12;
  const std::string name = name_at(packet, at);
  if (at + 4 > packet.size()) return "";
  const int type = static_cast<unsigned char>(packet[at + 1]);
  const std::string_view question = packet.substr(12, at + 4 - 12);

  int code = 0;
  std::string records;
  int count = 0;
  const auto failure = zone.failures.find((type == type_a ? "A " : "AAAA ") + name);
  const auto found = zone.names.find(name);
  if (failure != zone.failures.end()) {
    if (failure->second < 0) return "";
    code = failure->second;
  } else if (found == zone.names.end()) {
    code = 3;
  } else {
    for (const std::string& address : found->second) {
      char bytes[16];
      const int family = address.find(':') == std::string::npos ? AF_INET : AF_INET6;
      if ((family == AF_INET) != (type == type_a)) continue;
      ::inet_pton(family, address.c_str(), bytes);
      const int size = family == AF_INET ? 4 : 16;
      put16(records, 0xC00C);  // the name of the question
      put16(records, family == AF_INET ? type_a : type_aaaa);
      put16(records, 1);
      put16(records, 0);
      put16(records, 60);
      put16(records, size);
      records.append(bytes, static_cast<std::size_t>(size));
      ++count;
    }
  }
  std::string reply(packet.substr(0, 2));
  put16(reply, 0x8180 | code);
  put16(reply, 1);
  put16(reply, count);
  put16(reply, 0);
  put16(reply, 0);
  return reply.append(question).append(records);
}

}  // namespace

LoopbackDns::LoopbackDns(DnsZone zone) : zone_(std::move(zone)) {
  socket_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (socket_ < 0 || ::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) != 0) {
    throw std::runtime_error("loopback DNS: cannot bind");
  }
  ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

LoopbackDns::~LoopbackDns() {
  // Wakes the thread: a datagram without a byte to itself.
  sockaddr_in self{};
  self.sin_family = AF_INET;
  self.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  self.sin_port = htons(static_cast<std::uint16_t>(port_));
  ::sendto(socket_, "", 0, 0, reinterpret_cast<sockaddr*>(&self), sizeof(self));
  thread_.join();
  ::close(socket_);
}

std::string LoopbackDns::url() const { return "dns://127.0.0.1:" + std::to_string(port_); }

void LoopbackDns::serve() const {
  char bytes[1500];
  while (true) {
    sockaddr_in client{};
    socklen_t size = sizeof(client);
    const long count =
        ::recvfrom(socket_, bytes, sizeof(bytes), 0, reinterpret_cast<sockaddr*>(&client), &size);
    if (count <= 0) return;
    const std::string answer =
        answer_to(zone_, std::string_view(bytes, static_cast<std::size_t>(count)));
    if (answer.empty()) continue;
    ::sendto(socket_, answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&client), size);
  }
}

}  // namespace shortcircuit::testing
