#include "sources/etcd/source.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "sources/etcd/parse.h"

namespace shortcircuit::etcd {
namespace {

using Answer = Result<HttpResponse>;

constexpr std::size_t metrics_body_limit = 32U << 20;  // K3s: the registry of every component

// The health page of the port that serves the metrics; "" when the URL makes no sense.
std::string health_url_beside(const std::string& metrics_url) {
  const auto authority = metrics_url.find("://");
  if (authority == std::string::npos) return "";
  return metrics_url.substr(0, metrics_url.find_first_of("/?#", authority + 3)) + "/health";
}

HttpRequest get(std::string answer, std::string extension, std::string url) {
  HttpRequest request;
  request.answer = std::move(answer);
  request.extension = std::move(extension);
  request.url = std::move(url);
  return request;
}

// The gateway only knows POST; these three read.
std::vector<HttpRequest> gateway_requests(const std::string& base) {
  std::vector<HttpRequest> requests{get("status", "json", base + "/maintenance/status"),
                                    get("members", "json", base + "/cluster/member/list"),
                                    get("alarms", "json", base + "/maintenance/alarm")};
  for (auto& request : requests) {
    request.method = Method::post;
    request.body = request.answer == "alarms" ? R"({"action":"GET"})" : "{}";
    request.headers = {{"Content-Type", "application/json"}};
  }
  return requests;
}

bool not_found(const Answer& answer) { return answer && answer->status == 404; }

// One poll's answers, read into one state.
class Reading {
 public:
  Reading(PollContext& context, State& state) : context_(context), state_(state) {}

  // `read` is given the body of a successful answer; returns whether the part was read.
  template <class Read>
  bool take(const HttpRequest& request, Answer answer, Read read) {
    answer = expect_success(std::move(answer), request);
    if (!answer) return missed(answer.error());
    const auto done = read(answer->body);
    if (!done) return missed(done.error().in(request.answer));
    return true;
  }
  bool take_health(const HttpRequest& request, Answer answer) {
    // 503 with a body is an answer: "not healthy", and why.
    if (answer && answer->status == 503) answer->status = 200;
    return take(request, std::move(answer),
                [&](const std::string& body) { return read_health(body, state_); });
  }
  bool missed(Error error) {
    // The most telling one: the first that is more than a page that is absent.
    if (!first_error_ || (first_error_->http_status == 404 && error.http_status != 404)) {
      first_error_ = error;
    }
    errors_.push_back(std::move(error));
    return false;
  }
  // What failed in part. An absent page is a fact of this member, not a failure.
  void note_parts() {
    for (auto& error : errors_) {
      if (error.http_status != 404) context_.note(std::move(error));
    }
  }
  [[nodiscard]] Error why() const {
    return first_error_.value_or(Error{Failure::internal, "nothing was asked"});
  }

 private:
  PollContext& context_;
  State& state_;
  std::vector<Error> errors_;
  std::optional<Error> first_error_;
};

}  // namespace

Result<State> Source::poll(PollContext& context) {
  State state;
  state.name = config_.target;
  const std::string url = without_slash(config_.endpoint.url);
  const std::string metrics_url =
      config_.metrics_url.empty() ? url + "/metrics" : config_.metrics_url;

  std::vector<HttpRequest> requests;
  requests.push_back(get("metrics", "txt", metrics_url));
  requests.back().body_limit = metrics_body_limit;
  requests.push_back(get(
      "health", "json", config_.metrics_only() ? health_url_beside(metrics_url) : url + "/health"));
  if (!config_.metrics_only()) {
    requests.push_back(get("version", "json", url + "/version"));
    for (auto& request : gateway_requests(url + gateway_)) requests.push_back(std::move(request));
  }
  auto answers = context.http.fetch(requests, context.deadline, context.stop);

  Reading reading(context, state);
  const bool has_metrics =
      reading.take(requests[0], std::move(answers[0]),
                   [&](const std::string& body) { return read_metrics(body, state); });
  const bool has_health = reading.take_health(requests[1], std::move(answers[1]));
  bool has_status = false;
  if (!config_.metrics_only()) {
    reading.take(requests[2], std::move(answers[2]),
                 [&](const std::string& body) { return read_version(body, state); });

    std::vector<HttpRequest> gateway(requests.begin() + 3, requests.end());
    std::vector<Answer> gateway_answers(std::make_move_iterator(answers.begin() + 3),
                                        std::make_move_iterator(answers.end()));
    if (not_found(gateway_answers[0]) && gateway_ != "/v3") {
      gateway_ = "/v3";  // upgraded meanwhile: the next poll asks the usual way
      gateway_decided_ = false;
    } else if (not_found(gateway_answers[0]) && !gateway_decided_ && !context.replay) {
      gateway_decided_ = true;  // asked once: a member does not change its version while it runs
      const auto beta = gateway_requests(url + "/v3beta");
      auto beta_answers = context.http.fetch(beta, context.deadline, context.stop);
      if (beta_answers[0] && beta_answers[0]->status == 200) {
        gateway_ = "/v3beta";
        gateway = beta;
        gateway_answers = std::move(beta_answers);
      }
    } else if (gateway_answers[0] && gateway_answers[0]->status == 200) {
      gateway_decided_ = true;
    } else if (!gateway_answers[0]) {
      gateway_decided_ = false;  // it may come back as another version
      gateway_ = "/v3";
    }
    has_status = reading.take(gateway[0], std::move(gateway_answers[0]),
                              [&](const std::string& body) { return read_status(body, state); });
    const bool members_absent = not_found(gateway_answers[1]);
    const bool has_members =
        reading.take(gateway[1], std::move(gateway_answers[1]), [&](const std::string& body) {
          auto members = read_members(body);
          if (members) known_members_ = std::move(*members);
          return members ? Result<void>{} : Result<void>(std::unexpected(members.error()));
        });
    if (has_members || !members_absent) state.members = known_members_;
    state.members_are_old = !has_members;
    reading.take(gateway[2], std::move(gateway_answers[2]), [&](const std::string& body) {
      auto alarms = read_alarms(body);
      if (alarms) state.alarms = std::move(*alarms);
      return alarms ? Result<void>{} : Result<void>(std::unexpected(alarms.error()));
    });
  }
  if (!has_metrics && !has_health && !has_status) return std::unexpected(reading.why());
  reading.note_parts();
  settle(state);
  return state;
}

Result<std::string> reduce_for_recording(std::string_view answer, std::string_view body) {
  if (answer == "metrics") {
    std::string kept;
    for (const auto& line : split(body, '\n')) {
      for (const auto& name : wanted_metrics()) {
        if (line.starts_with(name)) {
          kept += line;
          kept += '\n';
          break;
        }
      }
    }
    return kept;
  }
  if (answer == "health") return keep_fields(object_of(body), {"health", "reason"});
  if (answer == "version") return keep_fields(body, {"etcdserver", "etcdcluster"});
  if (answer == "status") {
    return keep_fields(body, {"header/member_id", "version", "dbSize", "dbSizeInUse", "leader",
                              "raftIndex", "raftTerm", "raftAppliedIndex", "errors", "isLearner"});
  }
  if (answer == "members") {
    return keep_fields(body, {"header/member_id", "members/ID", "members/name", "members/peerURLs",
                              "members/clientURLs", "members/isLearner"});
  }
  if (answer == "alarms") return keep_fields(body, {"alarms/memberID", "alarms/alarm"});
  return fail(Failure::internal, fmt::format("etcd has no answer named {}", answer));
}

}  // namespace shortcircuit::etcd
