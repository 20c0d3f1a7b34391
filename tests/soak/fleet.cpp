#include "soak/fleet.h"

#include <fmt/format.h>

#include <stdexcept>

#include "app/board.h"
#include "config/load.h"
#define SHORTCIRCUIT_SOURCE(name)
#include "sources/dns/source.h"
#include "sources/etcd/source.h"
#include "sources/headscale/source.h"
#include "sources/kubernetes/source.h"
#include "sources/linstor/source.h"
#include "sources/probes/source.h"
#include "sources/sources.def"
#include "sources/tailscale/source.h"
#include "sources/traefik/source.h"
#undef SHORTCIRCUIT_SOURCE

namespace shortcircuit::soak {

class Target {
 public:
  virtual ~Target() = default;
  virtual void poll(Board& board, Time time, const Snapshot* latest) = 0;
};

namespace {

template <class Source, class Configuration, class State>
class TypedTarget : public Target {
 public:
  TypedTarget(const Configuration& configuration, std::vector<Observed<State>> Snapshot::* field,
              std::size_t index, std::unique_ptr<Http> http)
      : source_(configuration), field_(field), index_(index), http_(std::move(http)) {}

  void poll(Board& board, Time time, const Snapshot* latest) override {
    PollContext context{.http = *http_,
                        .deadline = Deadline::after(1h),
                        .stop = {},
                        .now = time,
                        .latest = latest,
                        .replay = true,
                        .once = false,
                        .notes = {}};
    auto result = source_.poll(context);
    board.commit(field_, index_,
                 PollOutcome<State>{.result = std::move(result),
                                    .notes = std::move(context.notes),
                                    .duration = 1ms,
                                    .received_bytes = http_->take_received_bytes(),
                                    .time = time});
  }

 private:
  Source source_;
  std::vector<Observed<State>> Snapshot::* field_;
  std::size_t index_;
  std::unique_ptr<Http> http_;
};

constexpr std::string_view dead_node = "aus-aero";

class DeadHttp : public Http {
 public:
  std::vector<Result<HttpResponse>> fetch(std::span<const HttpRequest> requests, Deadline,
                                          std::stop_token) override {
    const Result<HttpResponse> failed = fail(Failure::connect, "never there");
    return std::vector<Result<HttpResponse>>(requests.size(), failed);
  }
  std::size_t take_received_bytes() override { return 0; }
};

template <class Value>
Value required(Result<Value> value) {
  if (!value) throw std::runtime_error(value.error().message);
  return std::move(*value);
}

std::shared_ptr<const Config> config_of(const Recording& recording) {
  auto config = load_config(recording.configuration_path(), {.for_replay = true});
  if (!config) throw std::runtime_error("the recording's configuration is wrong");
  return std::make_shared<const Config>(std::move(*config));
}

void insert_after(std::string& body, std::string_view place, const std::string& more) {
  const auto found = body.find(place);
  if (found == std::string::npos) throw std::runtime_error(fmt::format("no {} there", place));
  body.insert(found + place.size(), more);
}

}  // namespace

std::string guest_name(int number) { return fmt::format("guest-{:06}", number); }

LivingFleet::LivingFleet(const std::string& recording, Weather& weather)
    : weather_(weather),
      recording_(required(Recording::open(recording))),
      config_(config_of(*recording_)),
      replay_(recording_),
      board_(std::make_unique<Board>(*config_)),
      time_(replay_.time()) {
#define SHORTCIRCUIT_SOURCE(name)                                                              \
  for (std::size_t i = 0; i < config_->name.size(); ++i) {                                     \
    targets_.push_back(std::make_unique<TypedTarget<name::Source, name::Config, name::State>>( \
        config_->name[i], &Snapshot::name, i, http_of(#name, config_->name[i].target)));       \
  }
#include "sources/sources.def"
#undef SHORTCIRCUIT_SOURCE
}

LivingFleet::~LivingFleet() = default;

std::unique_ptr<Http> LivingFleet::http_of(const std::string& source, const std::string& target) {
  if (target == dead_node) return std::make_unique<DeadHttp>();
  const bool has_guests = source == "headscale" || source == "tailscale";
  return make_weathered_http(make_replay_http(recording_, replay_, source, target), weather_,
                             [this, has_guests](const HttpRequest& request, std::string& body) {
                               if (has_guests) edit(request, body);
                             });
}

void LivingFleet::edit(const HttpRequest& request, std::string& body) const {
  for (int guest = first_guest_; guest < end_of_guests_; ++guest) {
    const std::string name = guest_name(guest);
    const std::string address = fmt::format("100.99.{}.{}", guest / 250 % 250, guest % 250 + 1);
    if (request.answer == "node") {
      insert_after(body, R"({"nodes":[)",
                   fmt::format(R"({{"id":"{}","name":"{}","givenName":"{}","ipAddresses":["{}"],)"
                               R"("online":true,"user":{{"name":"guests"}}}},)",
                               100'000 + guest, name, name, address));
    } else if (request.answer == "status") {
      insert_after(body, "\"Peer\": {",
                   fmt::format(R"("nodekey:{}":{{"HostName":"{}","DNSName":"{}.mesh.lab.",)"
                               R"("TailscaleIPs":["{}"],"Relay":"sfo","RxBytes":1,"TxBytes":1,)"
                               R"("Online":true,"Active":true}},)",
                               name, name, name, address));
    }
  }
}

std::shared_ptr<const Publication> LivingFleet::tick(std::size_t step, int first_guest,
                                                     int end_of_guests) {
  replay_.go_to(step);
  first_guest_ = first_guest;
  end_of_guests_ = end_of_guests;
  time_ += 7500ms;
  for (std::size_t i = ticks_++ % 2; i < targets_.size(); i += 2) {
    targets_[i]->poll(*board_, time_, latest_ ? &latest_->snapshot : nullptr);
  }
  latest_ =
      std::make_shared<const Publication>(config_, board_->take(time_), ledger_, ReloadState{});
  return latest_;
}

}  // namespace shortcircuit::soak
