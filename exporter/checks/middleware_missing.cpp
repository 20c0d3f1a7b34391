#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "checks/check.h"
#include "checks/unknown.h"

namespace shortcircuit {
namespace {

// Right after its start Traefik calls every middleware of the CRD provider missing for 1-2 s.
constexpr auto start_up_time = std::chrono::seconds(30);

// The names that routers' errors call missing: `middleware "web-auth@kubernetescrd" does not exist`.
std::set<std::string> missing_in_traefik(const traefik::State& traefik) {
  constexpr std::string_view before = "middleware \"";
  constexpr std::string_view after = "\" does not exist";
  std::set<std::string> names;
  for (const auto& router : traefik.routers) {
    for (const std::string_view error : router.errors) {
      const auto begin = error.find(before);
      if (begin == std::string_view::npos) continue;
      const auto end = error.find('"', begin + before.size());
      if (end == std::string_view::npos || !error.substr(end).starts_with(after)) continue;
      names.emplace(error.substr(begin + before.size(), end - begin - before.size()));
    }
  }
  return names;
}

struct Use {
  RouteMiddleware middleware;
  std::vector<std::string> routes;
};

std::string users(const Use& use) { return enumerate(use.routes, 3); }

Finding absent(const Use& use) {
  const auto& name = *use.middleware.object;
  const std::string_view kind = use.middleware.tcp ? "MiddlewareTCP" : "Middleware";
  return {.severity = Severity::critical,
          .reason = "object_absent",
          .kind = "Middleware",
          .object = name.text(),
          .message = fmt::format("{} {} does not exist, and {} names it: its router is disabled and answers 404.", kind,
                                 name.text(), users(use)),
          .cure = fmt::format("apply the {} again (kubectl -n {} get {}), or take the reference {} out of the route", kind,
                              name.namespace_name, use.middleware.tcp ? "middlewaretcps" : "middlewares",
                              use.middleware.reference)};
}

Finding provider_off(const Use& use) {
  const auto& name = *use.middleware.object;
  return {.severity = Severity::critical,
          .reason = "provider_off",
          .kind = "Middleware",
          .object = name.text(),
          .message = fmt::format("Middleware {} exists, but Traefik runs without the KubernetesCRD provider and cannot see it.",
                                 name.text()),
          .cure = "start Traefik with --providers.kubernetescrd (Helm: providers.kubernetesCRD.enabled: true)"};
}

Finding router_error(const std::string& object, const std::string& reference, const std::string& who) {
  return {.severity = Severity::critical,
          .reason = "router_error",
          .kind = "Middleware",
          .object = object,
          .message = fmt::format("Traefik says that middleware {} does not exist; {} is disabled and answers 404.", reference, who),
          .cure = fmt::format("define {} in its provider, or correct the reference; see /api/http/middlewares of Traefik for "
                              "the names that it knows", reference)};
}

Verdict judge_middlewares(const Fleet& fleet) {
  if (fleet.config.kubernetes.empty() && fleet.config.traefik.empty()) return not_applicable();
  Verdict verdict;
  const bool cluster_known = fleet.config.kubernetes.empty() || need(fleet.snapshot.kubernetes, "Kubernetes", verdict);
  const auto* cluster = fleet.cluster();
  if (!cluster_known) return verdict;  // whose routers these are, and what they should have, is unknown
  const traefik::State* traefik = nullptr;
  if (!fleet.config.traefik.empty() && need(fleet.snapshot.traefik, "Traefik", verdict)) traefik = fleet.traefik();
  const std::set<std::string> missing = traefik != nullptr ? missing_in_traefik(*traefik) : std::set<std::string>{};
  const bool starting = traefik != nullptr && traefik->started && fleet.snapshot.time - *traefik->started < start_up_time;
  bool held_back = false;
  const auto add_router_error = [&](Finding finding) {
    if (starting) {
      held_back = true;
    } else {
      verdict.findings.push_back(std::move(finding));
    }
  };

  std::map<std::string, Use> uses;  // by reference
  for (const Route& route : fleet.routes) {
    for (const RouteMiddleware& middleware : route.middlewares) {
      Use& use = uses[(middleware.tcp ? "tcp " : "") + middleware.reference];
      use.middleware = middleware;
      const std::string name = fmt::format("{} {}", route.kind, route.object.text());
      if (std::find(use.routes.begin(), use.routes.end(), name) == use.routes.end()) use.routes.push_back(name);
    }
  }
  std::set<std::string> known_references;
  std::set<kubernetes::ObjectName> objects;
  std::set<kubernetes::ObjectName> tcp_objects;
  if (cluster != nullptr) {
    need(cluster->ingresses, "ingresses", verdict);
    need(cluster->ingress_routes, "ingressroutes", verdict);
    need(cluster->middlewares, "middlewares", verdict);
    for (const auto& item : cluster->middlewares.items) objects.insert(item.name);
    for (const auto& item : cluster->middleware_tcps.items) tcp_objects.insert(item.name);
  }
  const bool crd_off = traefik != nullptr && !traefik->providers.empty() &&
                       std::find(traefik->providers.begin(), traefik->providers.end(), "KubernetesCRD") == traefik->providers.end();
  std::set<std::string> said;  // two references may mean one object
  for (const auto& [key, use] : uses) {
    const RouteMiddleware& middleware = use.middleware;
    known_references.insert(middleware.reference);
    const bool called_missing = missing.contains(middleware.reference);
    const std::string object = middleware.object ? middleware.object->text() : middleware.reference;
    if (middleware.object) {
      const bool list_known = middleware.tcp ? cluster->middleware_tcps.known() : cluster->middlewares.known();
      const bool exists = (middleware.tcp ? tcp_objects : objects).contains(*middleware.object);
      if (list_known && !exists) {
        if (said.insert("absent " + object).second) verdict.findings.push_back(absent(use));
        continue;
      }
      if (exists && crd_off && called_missing) {
        if (said.insert("off " + object).second) verdict.findings.push_back(provider_off(use));
        continue;
      }
    }
    if (called_missing && said.insert("error " + object).second) {
      add_router_error(router_error(object, middleware.reference, users(use)));
    }
  }
  // Routers that no object of the cluster explains (file, docker …), or whose object was not read.
  for (const std::string& reference : missing) {
    if (known_references.contains(reference) || !said.insert("error " + reference).second) continue;
    add_router_error(router_error(reference, reference, "a router"));
  }
  if (held_back) verdict.unknown.push_back("Traefik started less than 30 s ago and may not have loaded its middlewares yet");
  return verdict;
}

}  // namespace

const CheckDefinition middleware_missing_check{
    .name = "middleware_missing",
    .layer = Layer::middleware,
    .question = "Does every middleware that a route names exist?",
    .reasons = {{"object_absent", "No such Middleware object exists."},
                {"provider_off", "The object exists, and Traefik runs without the provider that reads it."},
                {"router_error", "Traefik itself says that it does not exist (another provider's, or not loaded)."}},
    .judge = judge_middlewares};

}  // namespace shortcircuit
