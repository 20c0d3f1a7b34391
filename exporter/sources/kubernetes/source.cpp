#include "sources/kubernetes/source.h"

#include <algorithm>
#include <memory>
#include <set>

#include "base/text.h"
#include "sources/kubernetes/kinds.h"

namespace shortcircuit::kubernetes {
namespace {

// Turns lists into what the State says of their kinds, and keeps what could not be read.
class Settling {
  template <class L>
  static auto as_listed(L& list) {
    using T = typename decltype(list.items)::value_type;
    Listed<T> listed;
    listed.items = std::move(list.items);
    listed.error = list.error;
    if (list.outcome == List::Outcome::listed) listed.status = Listed<T>::Status::listed;
    if (list.outcome == List::Outcome::not_found) listed.status = Listed<T>::Status::absent;
    return listed;
  }

  template <class T>
  static void fail_kind(Listed<T>& listed, Error error) {
    listed.status = Listed<T>::Status::failed;
    listed.items.clear();
    listed.error = std::move(error);
  }

  template <class T>
  Listed<T> noted(const std::string& plural, Listed<T> listed) {
    if (!listed.known()) {
      // What a recording lacks is unknown, but nothing failed.
      if (!(context_.replay && listed.error.http_status == 404)) context_.note(listed.error);
      state_.blind.emplace(plural, listed.error);
    }
    return listed;
  }

 public:
  Settling(PollContext& context, State& state) : context_(context), state_(state) {}

  // A kind of every cluster: 404 is a failure.
  template <class L>
  auto core(const std::string& plural, L& list) {
    auto listed = as_listed(list);
    if (list.outcome == List::Outcome::not_found) {
      fail_kind(listed, {Failure::status,
                         context_.replay
                             ? plural + ": this recording does not hold it"
                             : plural + ": HTTP 404: every cluster has this kind: check that the "
                                        "URL is that of a Kubernetes API server",
                         404});
    }
    return noted(plural, std::move(listed));
  }

  // A kind that a server may lack.
  template <class L>
  auto optional(const std::string& plural, L& list) {
    return noted(plural, as_listed(list));
  }

  // Objects of the new group win over those of the same name in the old one. A role that knows the
  // new group only is answered 403 for the old one, installed or not: that does not blind.
  template <class T>
  Listed<T> traefik(const std::string& plural, TraefikKind<T>& kind) {
    using Status = Listed<T>::Status;
    Listed<T> now = as_listed(kind.now);
    Listed<T> old = as_listed(kind.old);
    if (now.status == Status::listed && old.status == Status::failed &&
        old.error.failure == Failure::auth) {
      old.status = Status::absent;
    }
    if (now.status != Status::failed && old.status == Status::failed) fail_kind(now, old.error);
    if (now.status == Status::failed) return noted(plural, std::move(now));
    if (old.status != Status::listed) return now;
    std::set<ObjectName> present;
    for (const T& object : now.items) present.insert(object.name);
    now.status = Status::listed;
    for (std::size_t i = 0; i < old.items.size(); ++i) {
      if (!present.contains(std::as_const(old).items[i].name)) now.items.share(old.items, i);
    }
    return now;
  }

  // One kind from several lists that overlap. Only the first must be there (in a recording it
  // holds everything); if any other fails, what it would have held is unknown.
  Listed<Pod> pods(Lists& lists, const std::vector<std::unique_ptr<ListOf<Pod>>>& further) {
    Listed<Pod> pods = core("pods", lists.pods);
    std::vector<ListOf<Pod>*> others{&lists.pods_operator, &lists.pods_ingress};
    for (const auto& list : further) others.push_back(list.get());
    std::set<ObjectName> present;
    for (const Pod& pod : pods.items) present.insert(pod.name);
    for (ListOf<Pod>* other : others) {
      if (!pods.known()) return pods;
      if (other->outcome == List::Outcome::failed) {
        fail_kind(pods, other->error);
        return noted("pods", std::move(pods));
      }
      const auto& items = std::as_const(other->items);
      for (std::size_t i = 0; i < items.size(); ++i) {
        if (present.insert(items[i].name).second) pods.items.share(items, i);
      }
    }
    return pods;
  }

 private:
  PollContext& context_;
  State& state_;
};

// What the configuration says not to read: unknown, but nothing failed.
template <class T>
Listed<T> switched_off(const std::string& key) {
  Listed<T> listed;
  listed.error = {Failure::internal,
                  "not read, as the configuration says (kubernetes." + key + ")"};
  return listed;
}

Error first_error(const std::vector<List*>& lists) {
  for (const List* list : lists) {
    if (list->outcome != List::Outcome::failed) continue;
    Error error = list->error;
    if (error.message.find("/var/run/secrets/kubernetes.io/") != std::string::npos)
      error.message += "; outside a pod give kubernetes.kubeconfig, or its url and credentials";
    return error;
  }
  return {Failure::status,
          "HTTP 404 for every kind: check that the URL is that of a Kubernetes API server", 404};
}

}  // namespace

// What the poll fails with, though others of its kinds were read.
const Error* Source::missed(std::span<List* const> lists, const PollContext& context) {
  const Error* first = nullptr;
  std::map<std::string, std::unique_ptr<List>> listed;
  for (const List* list : lists) {
    const std::string name = list->name();
    if (list->outcome == List::Outcome::listed) listed.emplace(name, list->copy());
    const bool failed =
        list->outcome == List::Outcome::failed && list->error.failure != Failure::auth;
    if (failed && first == nullptr && listed_.contains(name)) first = &list->error;
  }
  if (first == nullptr) {
    missed_ = 0;
  } else if (++missed_ < missed_polls_until_unknown && !context.replay && !context.once) {
    return first;
  }
  listed_ = std::move(listed);
  return nullptr;
}

Result<State> Source::poll(PollContext& context) {
  const std::string base = without_slash(config_.endpoint.url);
  Lists lists;
  const std::vector<List*> all = lists.all(config_);
  const bool may_follow = config_.watch && !context.once && !context.replay && server_answers_;
  Streams* streams = may_follow ? context.http.streams() : nullptr;
  if (streams != nullptr && watches_.follow_any()) {
    read_lists(std::vector<List*>{&lists.version}, context, base);
    if (lists.version.outcome != List::Outcome::listed) streams = nullptr;
  }
  const auto read = [&](const std::vector<List*>& some) {
    for (List* list : some) {
      const auto before = listed_.find(list->name());
      if (before != listed_.end()) list->share_with(*before->second);
    }
    streams != nullptr ? watches_.read(some, context, base, *streams)
                       : read_lists(some, context, base);
  };
  read(all);
  server_answers_ = lists.version.outcome == List::Outcome::listed;
  if (!server_answers_) {
    watches_.clear();
    streams = nullptr;
  }
  const bool any = std::any_of(all.begin() + 1, all.end(), [](const List* list) {
    return list->outcome == List::Outcome::listed;
  });
  if (!any) {
    ++missed_;
    return std::unexpected(first_error(all));
  }
  std::vector<std::unique_ptr<ListOf<Pod>>> further_lists;
  if (config_.pods) further_lists = further_pods(lists);
  std::vector<List*> further;
  for (const auto& list : further_lists) further.push_back(list.get());
  read(further);
  watches_.forget_unread();
  if (context.stop.stop_requested()) return fail(Failure::cancelled, "stopped");
  std::vector<List*> kinds(all.begin() + 1, all.end());
  std::ranges::copy(further, std::back_inserter(kinds));
  if (const Error* const error = missed(kinds, context)) return std::unexpected(*error);

  State state;
  Settling settle(context, state);
  state.version = lists.version.version;
  if (lists.version.outcome == List::Outcome::failed) context.note(lists.version.error);
  state.nodes = settle.core("nodes", lists.nodes);
  state.services = settle.core("services", lists.services);
  state.endpoint_slices = settle.optional("endpointslices", lists.endpoint_slices);
  state.endpoints = settle.core("endpoints", lists.endpoints);
  state.ingresses = settle.core("ingresses", lists.ingresses);
  state.ingress_classes = settle.core("ingressclasses", lists.ingress_classes);
  state.middlewares = settle.traefik("middlewares", lists.middlewares);
  state.middleware_tcps = settle.traefik("middlewaretcps", lists.middleware_tcps);
  state.ingress_routes = settle.traefik("ingressroutes", lists.ingress_routes);
  state.ingress_route_tcps = settle.traefik("ingressroutetcps", lists.ingress_route_tcps);
  state.ingress_route_udps = settle.traefik("ingressrouteudps", lists.ingress_route_udps);
  state.traefik_services = settle.traefik("traefikservices", lists.traefik_services);
  state.validating_webhooks =
      settle.core("validatingwebhookconfigurations", lists.validating_webhooks);
  state.mutating_webhooks = settle.core("mutatingwebhookconfigurations", lists.mutating_webhooks);
  state.daemon_sets = settle.core("daemonsets", lists.daemon_sets);
  state.deployments = settle.core("deployments", lists.deployments);
  state.stateful_sets = settle.core("statefulsets", lists.stateful_sets);
  state.cron_jobs = settle.core("cronjobs", lists.cron_jobs);
  state.pods = config_.pods ? settle.pods(lists, further_lists) : switched_off<Pod>("pods");
  state.claims = settle.core("persistentvolumeclaims", lists.claims);
  state.storage_classes = settle.core("storageclasses", lists.storage_classes);
  state.config_maps = config_.config_maps ? settle.core("configmaps", lists.config_maps)
                                          : switched_off<ConfigMap>("config_maps");
  return state;
}

}  // namespace shortcircuit::kubernetes
