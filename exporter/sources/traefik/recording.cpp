// What a recording keeps of Traefik's answers: the fields that parse.cpp reads. Middlewares carry
// headers and users, services carry cookies' names: none of it is named here.
#include "base/json.h"
#include "sources/traefik/source.h"

namespace shortcircuit::traefik {

Result<std::string> reduce_for_recording(std::string_view answer, std::string_view body) {
  if (answer == "version") return keep_fields(body, {"Version", "startDate"});
  if (answer == "overview") {
    return keep_fields(body, {"http/*/total", "http/*/warnings", "http/*/errors", "providers"});
  }
  if (answer == "entrypoints") return keep_fields(body, {"name", "address"});
  if (answer.starts_with("http-routers")) {
    return keep_fields(body, {"name", "provider", "status", "error", "rule", "service",
                              "entryPoints", "middlewares"});
  }
  if (answer.starts_with("http-services")) {
    // The keys of serverStatus are URLs; what is no state of a server is not of it.
    const auto only_states = [](std::string_view path, JsonView value) -> JsonEdit {
      if (!path.starts_with("serverStatus/")) return {};
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
    return keep_fields(body, {"name", "provider", "status", "error", "type"});
  }
  return fail(Failure::internal, "no rule for recording this answer of Traefik");
}

}  // namespace shortcircuit::traefik
