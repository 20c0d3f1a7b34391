#include "http/dns_lookup.h"

#include <ares.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/address.h"
#include "base/json.h"
#include "base/text.h"

namespace shortcircuit {

namespace {

// A resolver drops what comes in a flood.
constexpr std::size_t most_under_way = 32;
constexpr int timeout_per_try_ms = 1000;
constexpr int tries = 4;

bool is_absent(int status) { return status == ARES_ENODATA || status == ARES_ENOTFOUND; }

std::string address_text(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes =
      address->sa_family == AF_INET6
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr)
          : static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(address)->sin_addr);
  if (ares_inet_ntop(address->sa_family, bytes, text.data(), text.size()) == nullptr) return "";
  return text.data();
}

}  // namespace

// One family of one name.
struct DnsLookup::Query {
  Lookup* lookup = nullptr;
  int status = ARES_SUCCESS;
};

struct DnsLookup::Lookup {
  DnsLookup* owner = nullptr;
  std::size_t index = 0;
  std::string answer;
  std::string host;
  std::array<Query, 2> queries;  // A, AAAA
  int outstanding = 2;
  std::set<IpAddress> addresses;
};

void DnsLookup::set_up() { ares_library_init(ARES_LIB_INIT_ALL); }
void DnsLookup::tear_down() { ares_library_cleanup(); }

DnsLookup::DnsLookup(std::string servers) : servers_(std::move(servers)) {}

DnsLookup::~DnsLookup() {
  // Calls on_answer() for whatever is outstanding.
  if (channel_ != nullptr) ares_destroy(channel_);
}

bool DnsLookup::open_channel() {
  if (channel_ != nullptr) return true;
  ares_options options{};
  char from_dns_only[] = "b";
  options.flags = ARES_FLAG_NOSEARCH;
  options.timeout = timeout_per_try_ms;
  options.tries = tries;
  options.lookups = from_dns_only;
  const int given = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS;
  if (ares_init_options(&channel_, &options, given) != ARES_SUCCESS) {
    channel_ = nullptr;
    return false;
  }
  return servers_.empty() || ares_set_servers_ports_csv(channel_, servers_.c_str()) == ARES_SUCCESS;
}

void DnsLookup::add(std::size_t index, const HttpRequest& request) {
  auto lookup = std::make_unique<Lookup>();
  lookup->owner = this;
  lookup->index = index;
  lookup->answer = request.answer;
  lookup->host = request.url.substr(std::string_view("dns:").size());
  if (!open_channel()) {
    finished_.emplace_back(
        index, fail(Failure::resolve, request.url + ": no resolver: check its address and "
                                                    "/etc/resolv.conf"));
    return;
  }
  lookups_.push_back(std::move(lookup));
  ++open_;
  start_waiting();
}

void DnsLookup::start_waiting() {
  while (started_ < lookups_.size() && under_way_ < most_under_way) {
    Lookup& lookup = *lookups_[started_++];
    ++under_way_;
    constexpr std::array families{AF_INET, AF_INET6};
    for (std::size_t i = 0; i < families.size(); ++i) {
      lookup.queries[i].lookup = &lookup;
      ares_addrinfo_hints hints{};
      hints.ai_family = families[i];
      hints.ai_flags = ARES_AI_NOSORT;
      ares_getaddrinfo(
          channel_, lookup.host.c_str(), nullptr, &hints,
          [](void* query, int status, int timeouts, ares_addrinfo* found) {
            on_answer(query, status, timeouts, found);
          },
          &lookup.queries[i]);
    }
  }
}

void DnsLookup::on_answer(void* query_pointer, int status, int /*timeouts*/, void* found) {
  Query& query = *static_cast<Query*>(query_pointer);
  Lookup& lookup = *query.lookup;
  query.status = status;
  auto* const list = static_cast<ares_addrinfo*>(found);
  if (list != nullptr) {
    for (const ares_addrinfo_node* node = list->nodes; node != nullptr; node = node->ai_next) {
      if (const auto address = IpAddress::parse(address_text(node->ai_addr))) {
        lookup.addresses.insert(*address);
      }
    }
    ares_freeaddrinfo(list);
  }
  if (--lookup.outstanding == 0) lookup.owner->finish(lookup);
}

void DnsLookup::finish(Lookup& lookup) {
  --under_way_;
  --open_;
  const Query* failed = nullptr;
  for (const Query& query : lookup.queries) {
    if (query.status != ARES_SUCCESS && !is_absent(query.status)) failed = &query;
  }
  // Some resolvers cannot do AAAA; a name whose A records are known is known well enough.
  const bool a_known = lookup.queries[0].status == ARES_SUCCESS && !lookup.addresses.empty();
  if (failed != nullptr && !a_known) {
    const bool silent = failed->status == ARES_ETIMEOUT;
    finished_.emplace_back(
        lookup.index,
        fail(silent ? Failure::timeout : Failure::resolve,
             fmt::format("dns:{}: {}: check the resolver", lookup.host,
                         silent ? "the resolver does not answer" : ares_strerror(failed->status))));
    return;
  }
  std::vector<std::string> quoted;
  for (const IpAddress& address : lookup.addresses) quoted.push_back(json_quote(address.text()));
  finished_.emplace_back(lookup.index, HttpResponse{200,
                                                    "{\"addresses\":[" + join(quoted, ",") + "]}",
                                                    {{"content-type", "application/json"}}});
}

std::vector<pollfd> DnsLookup::sockets() const {
  std::vector<pollfd> wanted;
  if (channel_ == nullptr) return wanted;
  std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
  const unsigned bits = static_cast<unsigned>(
      ares_getsock(channel_, sockets.data(), static_cast<int>(sockets.size())));
  for (unsigned i = 0; i < sockets.size(); ++i) {
    short events = 0;
    if (ARES_GETSOCK_READABLE(bits, i)) events |= POLLIN;
    if (ARES_GETSOCK_WRITABLE(bits, i)) events |= POLLOUT;
    if (events != 0) wanted.push_back({sockets[i], events, 0});
  }
  return wanted;
}

std::chrono::milliseconds DnsLookup::longest_wait(std::chrono::milliseconds limit) const {
  if (channel_ == nullptr) return limit;
  timeval most{};
  most.tv_sec = static_cast<decltype(most.tv_sec)>(limit.count() / 1000);
  most.tv_usec = static_cast<decltype(most.tv_usec)>(limit.count() % 1000 * 1000);
  timeval chosen{};
  const timeval* const wait = ares_timeout(channel_, &most, &chosen);
  return std::chrono::milliseconds(wait->tv_sec * 1000 + (wait->tv_usec + 999) / 1000);
}

void DnsLookup::process(const std::vector<pollfd>& ready) {
  if (channel_ == nullptr) return;
  bool any = false;
  for (const pollfd& socket : ready) {
    if (socket.revents == 0) continue;
    any = true;
    const bool writable = (socket.revents & POLLOUT) != 0;
    const bool readable = (socket.revents & ~POLLOUT) != 0;
    ares_process_fd(channel_, readable ? socket.fd : ARES_SOCKET_BAD,
                    writable ? socket.fd : ARES_SOCKET_BAD);
  }
  if (!any) ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // timeouts
  start_waiting();
}

std::vector<std::pair<std::size_t, Result<HttpResponse>>> DnsLookup::take_finished() {
  return std::exchange(finished_, {});
}

}  // namespace shortcircuit
