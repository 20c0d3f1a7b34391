// What a recording keeps of Traefik's answers: the fields that parse.cpp reads. Middlewares carry
// headers and users, services carry cookies' names: none of it is named here. What errors and rules
// quote of them goes too; the rules in the same way as in the recording of Kubernetes, since routes
// are found by them.
#include "base/json.h"
#include "base/matched_values.h"
#include "sources/traefik/parse.h"
#include "sources/traefik/source.h"

namespace shortcircuit::traefik {
namespace {

JsonEdit without_secrets(std::string_view path, JsonView value) {
  if (!value.is_string()) return {};
  if (path == "error") return {.keep = true, .text = shown_error(value.string())};
  if (path == "rule") return {.keep = true, .text = without_matched_values(value.string())};
  return {};
}

}  // namespace

Result<std::string> reduce_for_recording(std::string_view answer, std::string_view body) {
  if (answer == "version") return keep_fields(body, {"Version", "startDate"});
  if (answer == "overview") {
    return keep_fields(body, {"http/*/total", "http/*/warnings", "http/*/errors", "providers"});
  }
  if (answer == "entrypoints") return keep_fields(body, {"name", "address"});
  if (answer.starts_with("http-routers")) {
    return keep_fields(body,
                       {"name", "provider", "status", "error", "rule", "service", "entryPoints",
                        "middlewares", "tls/options"},
                       without_secrets);
  }
  if (answer.starts_with("http-services")) {
    // The keys of serverStatus are URLs; what is no state of a server is not of it.
    const auto only_states = [](std::string_view path, JsonView value) -> JsonEdit {
      if (!path.starts_with("serverStatus/")) return without_secrets(path, value);
      return {.keep = value.is_string() && (value.string() == "UP" || value.string() == "DOWN")};
    };
    return keep_fields(body,
                       {"name", "provider", "status", "error", "type", "loadBalancer/servers/url",
                        "serverStatus/*", "weighted/services/name", "weighted/services/weight",
                        "highestRandomWeight/services/name", "highestRandomWeight/services/weight",
                        "mirroring/service", "failover/service", "failover/fallback"},
                       only_states);
  }
  if (answer.starts_with("http-middlewares")) {
    return keep_fields(body, {"name", "provider", "status", "error", "type"}, without_secrets);
  }
  return fail(Failure::internal, "no rule for recording this answer of Traefik");
}

}  // namespace shortcircuit::traefik
