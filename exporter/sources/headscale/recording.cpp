// What a recording keeps of Headscale's answers: no keys of machines or nodes, no pre-auth key.
// The prefix of an API key is its public name and stays.
#include <fmt/format.h>

#include "base/json.h"
#include "sources/headscale/source.h"

namespace shortcircuit::headscale {

Result<std::string> reduce_for_recording(std::string_view answer, std::string_view body) {
  if (answer == "node" || answer == "machine") {
    const std::string_view list = answer == "node" ? "nodes" : "machines";
    std::vector<std::string> patterns;
    for (const std::string_view field :
         {"id", "name", "givenName", "ipAddresses", "user/name", "namespace/name", "online",
          "lastSeen", "expiry", "tags", "forcedTags", "validTags", "approvedRoutes",
          "availableRoutes", "subnetRoutes", "createdAt"}) {
      patterns.push_back(fmt::format("{}/{}", list, field));
    }
    return keep_fields(body, {patterns.begin(), patterns.end()});
  }
  if (answer == "routes") {
    return keep_fields(body, {"routes/id", "routes/node/id", "routes/machine/id", "routes/prefix",
                              "routes/advertised", "routes/enabled", "routes/isPrimary"});
  }
  if (answer == "apikey") {
    return keep_fields(
        body, {"apiKeys/prefix", "apiKeys/expiration", "apiKeys/createdAt", "apiKeys/lastSeen"});
  }
  if (answer == "preauthkey") {
    return keep_fields(body, {"preAuthKeys/id", "preAuthKeys/reusable", "preAuthKeys/ephemeral",
                              "preAuthKeys/used", "preAuthKeys/expiration"});
  }
  if (answer == "health") return keep_fields(body, {"status"});
  return fail(Failure::internal, fmt::format("{}: not an answer of headscale", answer));
}

}  // namespace shortcircuit::headscale
