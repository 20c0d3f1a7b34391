#include "checks/middleware_missing.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "checks/before.h"
#include "checks/check.h"
#include "checks/cure.h"
#include "checks/route_faults.h"
#include "checks/unknown.h"
#include "fleet/router_index.h"

namespace shortcircuit {
namespace {

// The middleware that the error of an HTTP router names: `middleware "web-auth@kubernetescrd" does
// not exist`, or another fault of one. "" = none.
std::string middleware_in(const std::string& error) {
  constexpr std::string_view before = "middleware \"";
  const auto begin = error.find(before);
  if (begin == std::string::npos) return "";
  const auto end = error.find('"', begin + before.size());
  if (end == std::string::npos) return "";
  return error.substr(begin + before.size(), end - begin - before.size());
}

// By the middleware's name, the first error that names it.
std::map<std::string, std::string> errors_by_middleware(const traefik::State& traefik) {
  std::map<std::string, std::string> errors;
  for (const auto& router : traefik.routers) {
    for (const std::string& error : router.errors) {
      if (std::string name = middleware_in(error); !name.empty())
        errors.try_emplace(std::move(name), error);
    }
  }
  return errors;
}

// Traefik looks a name without a provider up in the provider of the router.
std::string qualified(const RouteMiddleware& middleware, const Route& route) {
  if (middleware.reference.find('@') != std::string::npos) return middleware.reference;
  return middleware.reference + (route.kind == "Ingress" ? "@kubernetes" : "@kubernetescrd");
}

struct Use {
  RouteMiddleware middleware;
  std::string qualified;  // as routers' errors name it
  std::vector<std::string> routes;
};

std::string users(const Use& use) { return enumerate(use.routes, 3); }

Finding absent(const Use& use) {
  const auto& name = *use.middleware.object;
  const std::string_view kind = kind_of(use.middleware);
  return {
      .severity = Severity::critical,
      .reason = "object_absent",
      .kind = std::string(kind),
      .object = name.text(),
      .message = fmt::format(
          "{} {} does not exist, and {} names it: its router is disabled and {}.", kind,
          name.text(), users(use), use.middleware.tcp ? "takes no connection" : "answers 404"),
      .cure = fmt::format(
          "kubectl -n {} get {}   # apply {} {} again, or take the reference {} out of the route",
          shell_word(name.namespace_name), use.middleware.tcp ? "middlewaretcps" : "middlewares",
          kind, name.name, use.middleware.reference)};
}

Finding provider_off(const Use& use) {
  const auto& name = *use.middleware.object;
  return {.severity = Severity::critical,
          .reason = "provider_off",
          .kind = "Middleware",
          .object = name.text(),
          .message = fmt::format("Middleware {} exists, but Traefik runs without the KubernetesCRD "
                                 "provider and cannot see it.",
                                 name.text()),
          .cure =
              "# start Traefik with --providers.kubernetescrd (Helm: "
              "providers.kubernetesCRD.enabled: true)"};
}

// Nothing here is wrong with the object itself: Traefik does not load one that names what it cannot
// find, and calls it absent then.
std::string cure_of_existing(const kubernetes::ObjectName& name, const std::string& error) {
  const bool denied = error.find("does not exist") != std::string::npos;
  return fmt::format("kubectl -n {} get middleware {} -o yaml   # {}",
                     shell_word(name.namespace_name), shell_word(name.name),
                     denied ? "it is there; what it names is not: its Secret, its errors.service "
                              "or its plugin; Traefik's log says which"
                            : "correct in it what Traefik says");
}

std::string cure_of_unknown(const std::string& reference) {
  if (reference.find('@') == std::string::npos)
    return fmt::format("# name its provider: NAMESPACE-{}@kubernetescrd", reference);
  return fmt::format(
      "# define {} in its provider, or correct the reference; see /api/http/middlewares of Traefik "
      "for the names that it knows",
      reference);
}

Finding router_error(const std::string& object, const std::string& error, const std::string& who,
                     std::string cure) {
  return {.severity = Severity::critical,
          .reason = "router_error",
          .kind = "Middleware",
          .object = object,
          .message = fmt::format("Traefik says: {}; {} is disabled and answers 404.", error, who),
          .cure = std::move(cure)};
}

}  // namespace

std::string_view kind_of(const RouteMiddleware& middleware) {
  return middleware.tcp ? "MiddlewareTCP" : "Middleware";
}

Verdict middlewares_at_once(const Fleet& fleet) {
  if (fleet.config.kubernetes.empty() && fleet.config.traefik.empty()) return not_applicable();
  Verdict verdict;
  const bool cluster_known =
      fleet.config.kubernetes.empty() || need(fleet.snapshot.kubernetes, "Kubernetes", verdict);
  const auto* cluster = fleet.cluster();
  if (!cluster_known)
    return verdict;  // whose routers these are, and what they should have, is unknown
  const traefik::State* traefik = nullptr;
  if (!fleet.config.traefik.empty() && need(fleet.snapshot.traefik, "Traefik", verdict))
    traefik = fleet.traefik();
  const auto errors =
      traefik != nullptr ? errors_by_middleware(*traefik) : std::map<std::string, std::string>{};
  // Right after its start Traefik calls every middleware of the CRD provider missing for 1-2 s.
  const bool starting = RouteFaults(fleet).traefik_starting();
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
      use.qualified = qualified(middleware, route);
      const std::string name = fmt::format("{} {}", route.kind, route.object.text());
      if (std::find(use.routes.begin(), use.routes.end(), name) == use.routes.end())
        use.routes.push_back(name);
    }
  }
  std::set<std::string> known_references;
  std::set<kubernetes::ObjectName> objects;
  std::set<kubernetes::ObjectName> tcp_objects;
  if (cluster != nullptr) {
    need(cluster->ingresses, "ingresses", verdict);
    need(cluster->ingress_routes, "ingressroutes", verdict);
    need(cluster->ingress_route_tcps, "ingressroutetcps", verdict);
    need(cluster->ingress_classes, "ingressclasses", verdict);
    need(cluster->middlewares, "middlewares", verdict);
    if (!cluster->ingress_route_tcps.items.empty())
      need(cluster->middleware_tcps, "middlewaretcps", verdict);
    const bool old_group_read = reads_old_group(traefik);
    for (const auto& item : cluster->middlewares.items) {
      if (!item.old_group || old_group_read) objects.insert(item.name);
    }
    for (const auto& item : cluster->middleware_tcps.items) {
      if (!item.old_group || old_group_read) tcp_objects.insert(item.name);
    }
  }
  const bool crd_off = traefik != nullptr && !traefik->providers.empty() &&
                       std::find(traefik->providers.begin(), traefik->providers.end(),
                                 "KubernetesCRD") == traefik->providers.end();
  std::set<std::string> said;  // two references may mean one object
  for (const auto& [key, use] : uses) {
    const RouteMiddleware& middleware = use.middleware;
    const std::string object = middleware.name();
    const std::string once = fmt::format("{} {}", kind_of(middleware), object);
    const bool exists =
        middleware.object && (middleware.tcp ? tcp_objects : objects).contains(*middleware.object);
    // TCP routers are not read: every error is of an HTTP router and means another middleware.
    if (!middleware.tcp) known_references.insert(use.qualified);
    if (middleware.object && !exists) {
      const bool list_known =
          middleware.tcp ? cluster->middleware_tcps.known() : cluster->middlewares.known();
      if (list_known) {
        if (said.insert("absent " + once).second) verdict.findings.push_back(absent(use));
        continue;
      }
    }
    if (middleware.tcp) continue;
    const auto error = errors.find(use.qualified);
    if (error == errors.end()) continue;
    if (exists && crd_off) {
      if (said.insert("off " + once).second) verdict.findings.push_back(provider_off(use));
    } else if (said.insert("error " + once).second) {
      add_router_error(router_error(object, error->second, users(use),
                                    exists ? cure_of_existing(*middleware.object, error->second)
                                           : cure_of_unknown(middleware.reference)));
    }
  }
  // Routers that no object of the cluster explains (file, docker …), or whose object was not read.
  for (const auto& [reference, error] : errors) {
    if (known_references.contains(reference)) continue;
    add_router_error(router_error(reference, error, "its router", cure_of_unknown(reference)));
  }
  if (held_back)
    verdict.unknown.push_back(
        "Traefik started less than 30 s ago and may not have loaded its middlewares yet");
  return verdict;
}

RefusedMiddlewares::RefusedMiddlewares(const Fleet& fleet) : fleet_(fleet) {
  for (const Route& route : fleet.routes) {
    for (const RouteMiddleware& middleware : route.middlewares) {
      if (!middleware.tcp) objects_.try_emplace(qualified(middleware, route), middleware.name());
    }
  }
}

std::vector<std::string> RefusedMiddlewares::of(const traefik::Router& router) const {
  std::vector<std::string> names;
  for (const std::string& error : router.errors) {
    const std::string name = middleware_in(error);
    const auto object = objects_.find(name);
    if (!name.empty()) names.push_back(object == objects_.end() ? name : object->second);
  }
  return names;
}

std::vector<std::string> RefusedMiddlewares::of(const Route& route) const {
  std::vector<std::string> names;
  for (const std::size_t router : route.routers) {
    for (std::string& name : of(fleet_.traefik()->routers[router]))
      names.push_back(std::move(name));
  }
  return names;
}

namespace {

Verdict judge_middlewares(const Fleet& fleet) {
  Verdict verdict = middlewares_at_once(fleet);
  const auto from_traefik = [](const Finding& finding) { return finding.reason == "router_error"; };
  if (std::ranges::none_of(verdict.findings, from_traefik)) return verdict;
  const Before before(fleet);
  if (before.fleet() == nullptr) return verdict;
  std::set<std::string> told;
  for (const Finding& finding : middlewares_at_once(*before.fleet()).findings) {
    if (from_traefik(finding)) told.insert(finding.object);
  }
  std::erase_if(verdict.findings, [&](const Finding& finding) {
    if (!from_traefik(finding) || told.contains(finding.object)) return false;
    verdict.unknown.push_back(fmt::format(
        "Middleware {}: it or its routes have changed between the looks at Traefik and Kubernetes",
        finding.object));
    return true;
  });
  return verdict;
}

}  // namespace

const CheckDefinition middleware_missing_check{
    .name = "middleware_missing",
    .layer = Layer::middleware,
    .question = "Does every middleware that a route names exist?",
    .reasons =
        {{"object_absent", "No such Middleware, or MiddlewareTCP, exists."},
         {"provider_off",
          "The object exists, and Traefik runs without the provider that reads it."},
         {"router_error",
          "Traefik itself refuses it (another provider's, not loaded, or wrong in itself)."}},
    .judge = judge_middlewares};

}  // namespace shortcircuit
