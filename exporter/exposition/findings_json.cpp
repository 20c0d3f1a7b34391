#include "exposition/findings_json.h"

#include "base/json_writer.h"

namespace shortcircuit {
namespace {

void write_findings(const Judgement& judgement, JsonWriter& json) {
  json.key("findings").begin_array();
  for (const Finding& finding : judgement.findings) {
    json.begin_object()
        .field("check", finding.check)
        .field("layer", name_of(finding.layer))
        .field("severity", name_of(finding.severity))
        .field("reason", finding.reason)
        .field("kind", finding.kind)
        .field("object", finding.object)
        .field("message", finding.message)
        .field("cure", finding.cure)
        .field("since", format_rfc3339(finding.since));
    json.key("hosts").strings(finding.hosts).end_object();
  }
  json.end_array();
}

std::string_view word(LinkStatus status) {
  switch (status) {
    case LinkStatus::ok: return "ok";
    case LinkStatus::broken: return "broken";
    case LinkStatus::unknown: break;
  }
  return "unknown";
}

void write_routes(const Judgement& judgement, JsonWriter& json) {
  json.key("routes").begin_array();
  for (const RouteWalk& walk : judgement.routes) {
    json.begin_object()
        .field("host", walk.route.host)
        .field("path", walk.route.path)
        .field("kind", walk.route.kind)
        .field("object", walk.route.object.text())
        .field("status", word(walk.status()));
    json.key("cause");
    if (walk.cause) {
      const RouteLink& cause = walk.links[*walk.cause];
      json.begin_object()
          .field("layer", name_of(cause.layer))
          .field("check", cause.check)
          .field("reason", cause.reason)
          .field("object", cause.object)
          .end_object();
    } else {
      json.null();
    }
    json.key("links").begin_array();
    for (const RouteLink& link : walk.links) {
      json.begin_object()
          .field("link", link.link)
          .field("text", link.text)
          .field("status", word(link.status));
      if (link.status == LinkStatus::broken) {
        json.field("layer", name_of(link.layer))
            .field("check", link.check)
            .field("reason", link.reason)
            .field("object", link.object);
      }
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
}

template <class State>
void write_targets(std::string_view source, const std::vector<Observed<State>>& targets,
                   JsonWriter& json) {
  for (const Observed<State>& observed : targets) {
    json.begin_object()
        .field("source", source)
        .field("target", observed.target)
        .field("up", observed.health.up);
    json.key("last_success");
    observed.health.last_success ? json.value(format_rfc3339(*observed.health.last_success))
                                 : json.null();
    json.key("error");
    observed.health.last_error ? json.value(observed.health.last_error->message) : json.null();
    json.end_object();
  }
}

}  // namespace

std::string findings_json(const Fleet& fleet, const Judgement& judgement) {
  JsonWriter json;
  json.begin_object()
      .field("time", format_rfc3339(judgement.time))
      .field("snapshot", judgement.snapshot);
  json.key("layers").begin_array();
  for (const LayerState& state : judgement.layers) {
    json.begin_object()
        .field("layer", name_of(state.layer))
        .field("status", layer_status_names[static_cast<std::size_t>(state.status)])
        .field("findings", static_cast<std::uint64_t>(state.findings));
    json.key("unknown").strings(state.unknown).end_object();
  }
  json.end_array();
  write_findings(judgement, json);
  write_routes(judgement, json);
  json.key("sources").begin_array();
#define SHORTCIRCUIT_SOURCE(name) write_targets(#name, fleet.snapshot.name, json);
#include "sources/sources.def"
#undef SHORTCIRCUIT_SOURCE
  json.end_array().end_object();
  return json.take();
}

std::string dependents_json(const std::string& wanted, const std::vector<Dependent>& dependents,
                            const std::vector<std::string>& unknown) {
  JsonWriter json;
  json.begin_object().field("network", wanted).key("dependents").begin_array();
  for (const Dependent& dependent : dependents) {
    json.begin_object()
        .field("network", dependent.network)
        .field("dependency", dependent.dependency)
        .field("kind", dependent.kind)
        .field("object", dependent.object)
        .field("address", dependent.address)
        .field("breaks", dependent.breaks)
        .field("cure", dependent.cure)
        .end_object();
  }
  json.end_array().key("unknown").strings(unknown).end_object();
  return json.take();
}

}  // namespace shortcircuit
