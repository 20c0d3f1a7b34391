// A DNS server on loopback (UDP) that answers from a table.
#pragma once

#include <map>
#include <string>
#include <thread>
#include <vector>

namespace shortcircuit::testing {

struct DnsZone {
  // Name → addresses, IPv4 and IPv6 alike; an empty list is a name without addresses.
  std::map<std::string, std::vector<std::string>> names;
  // Names that fail, by kind of record: `A host`, `AAAA host`. Others do not exist (NXDOMAIN).
  std::map<std::string, int> failures;  // 2: SERVFAIL, 5: REFUSED, -1: silence
};

class LoopbackDns {
 public:
  explicit LoopbackDns(DnsZone zone);
  ~LoopbackDns();
  LoopbackDns(const LoopbackDns&) = delete;
  LoopbackDns& operator=(const LoopbackDns&) = delete;
  // For Endpoint.url: `dns://127.0.0.1:1234`.
  [[nodiscard]] std::string url() const;

 private:
  void serve() const;
  DnsZone zone_;
  int socket_ = -1;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace shortcircuit::testing
