// From the names that routes give their middlewares to the objects that they mean.
//
// An Ingress annotation says `<namespace>-<name>@kubernetescrd`, and both parts may hold dashes; an
// IngressRoute says name and namespace apart. Members of a Chain follow the chain itself.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "fleet/routes.h"

namespace shortcircuit {

class MiddlewareResolver {
 public:
  explicit MiddlewareResolver(const kubernetes::State& cluster);

  // `reference` as an annotation writes it; `own_namespace` is the Ingress's.
  void resolve(const std::string& reference, const std::string& own_namespace,
               std::vector<RouteMiddleware>& middlewares, bool tcp = false) const;
  void resolve_object(const kubernetes::MiddlewareReference& reference,
                      const std::string& own_namespace, bool tcp,
                      std::vector<RouteMiddleware>& middlewares) const;

 private:
  [[nodiscard]] kubernetes::ObjectName split_name(const std::string& joined,
                                                  const std::string& own_namespace, bool tcp) const;
  void add(const kubernetes::ObjectName& name, bool tcp, std::vector<RouteMiddleware>& middlewares,
           std::set<kubernetes::ObjectName>& visited) const;

  struct Objects {
    explicit Objects(const kubernetes::Listed<kubernetes::Middleware>& list);
    std::map<kubernetes::ObjectName, const kubernetes::Middleware*> by_name;
    std::map<std::string, kubernetes::ObjectName> by_traefik_name;  // `namespace-name`, normalized
  };
  [[nodiscard]] const Objects& objects(bool tcp) const { return tcp ? tcp_ : http_; }

  Objects http_;
  Objects tcp_;
  std::set<std::string> namespaces_;  // that any object of the cluster lies in
};

}  // namespace shortcircuit
