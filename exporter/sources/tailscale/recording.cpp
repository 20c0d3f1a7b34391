// What a recording keeps of tailscaled's answers: no keys, no login, no capability.
#include <fmt/format.h>

#include "base/exposition_text.h"
#include "base/json.h"
#include "sources/tailscale/source.h"

namespace shortcircuit::tailscale {
namespace {

constexpr std::array<std::string_view, 14> node_fields{
    "HostName", "DNSName",  "TailscaleIPs",  "CurAddr", "Relay",  "PeerRelay", "RxBytes",
    "TxBytes",  "LastSeen", "LastHandshake", "Online",  "Active", "Expired",   "KeyExpiry"};

// Peers are keyed by their public node key; a recording numbers them instead.
Result<std::string> reduce_status(std::string_view body) {
  std::vector<std::string> patterns{"Version", "BackendState"};
  for (const std::string_view field : node_fields) {
    patterns.push_back(fmt::format("Self/{}", field));
    patterns.push_back(fmt::format("Peer/*/{}", field));
  }
  auto kept = keep_fields(body, {patterns.begin(), patterns.end()});
  if (!kept) return kept;
  std::string renamed;
  std::size_t at = 0;
  std::vector<std::string> keys;
  std::size_t health = 0;
  const auto read = read_json(body, [&](JsonView root) {
    for (const auto& [key, node] : root["Peer"].members()) keys.push_back(json_quote(key) + ": {");
    health = root["Health"].items().size();
  });
  if (!read) return std::unexpected(read.error());
  // Members come out in the order in which they are listed here.
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto found = kept->find(keys[i], at);
    if (found == std::string::npos) return fail(Failure::schema, "Peer: an entry is no object");
    renamed += kept->substr(at, found - at) + fmt::format("\"peer-{:04}\": {{", i + 1);
    at = found + keys[i].size();
  }
  renamed += kept->substr(at);
  // Health is free text that may hold addresses and names; its number is all that is read.
  std::string messages;
  for (std::size_t i = 0; i < health; ++i) messages += i == 0 ? "\"-\"" : ",\"-\"";
  const auto brace = renamed.find('{');
  if (brace == std::string::npos) return fail(Failure::schema, "status: want an object");
  return renamed.insert(brace + 1, fmt::format("\n \"Health\": [{}],", messages));
}

Result<std::string> reduce_usermetrics(std::string_view body) {
  const auto samples =
      parse_exposition(body, {"tailscaled_inbound_bytes_total", "tailscaled_outbound_bytes_total"});
  if (!samples) return std::unexpected(samples.error());
  std::string kept;
  for (const Sample& sample : *samples) {
    const auto path = sample.labels.find("path");
    if (path == sample.labels.end()) continue;
    kept += fmt::format("{}{{path={}}} {}\n", sample.name, json_quote(path->second), sample.value);
  }
  return kept;
}

}  // namespace

Result<std::string> reduce_for_recording(std::string_view answer, std::string_view body) {
  if (answer == "status") return reduce_status(body);
  if (answer == "prefs") return keep_fields(body, {"ControlURL"});
  if (answer == "usermetrics") return reduce_usermetrics(body);
  if (answer.starts_with("ping-")) {
    return keep_fields(body, {"IP", "NodeIP", "NodeName", "Err", "LatencySeconds", "Endpoint",
                              "PeerRelay", "DERPRegionID", "DERPRegionCode"});
  }
  return fail(Failure::internal, fmt::format("{}: not an answer of tailscale", answer));
}

}  // namespace shortcircuit::tailscale
