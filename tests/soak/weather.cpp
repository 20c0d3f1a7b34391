#include "soak/weather.h"

#include <array>

namespace shortcircuit::soak {
namespace {

constexpr std::array failures{
    Failure::resolve, Failure::connect,   Failure::tls,    Failure::timeout, Failure::auth,
    Failure::status,  Failure::too_large, Failure::syntax, Failure::schema,  Failure::internal};
// 404 is for whole upstreams only: for one kind of objects it says that there is no such kind.
constexpr std::array statuses{500, 503, 429, 401, 403, 404};

class WeatheredHttp : public Http {
 public:
  WeatheredHttp(std::unique_ptr<Http> inner, Weather& weather, Edit edit)
      : inner_(std::move(inner)), weather_(weather), edit_(std::move(edit)) {}

  std::vector<Result<HttpResponse>> fetch(std::span<const HttpRequest> requests, Deadline deadline,
                                          std::stop_token stop) override {
    auto results = inner_->fetch(requests, deadline, std::move(stop));
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (results[i] && results[i]->status == 200) edit_(requests[i], results[i]->body);
    }
    weather_.spoil(results);
    return results;
  }
  std::size_t take_received_bytes() override { return inner_->take_received_bytes(); }

 private:
  std::unique_ptr<Http> inner_;
  Weather& weather_;
  Edit edit_;
};

}  // namespace

void Weather::spoil(std::vector<Result<HttpResponse>>& results) {
  if (calm || results.empty()) return;
  if (one_in(8)) {
    spoil_all(results);
  } else if (one_in(4)) {
    spoil_one(results[below(results.size())]);
  }
}

void Weather::spoil_all(std::vector<Result<HttpResponse>>& results) {
  if (one_in(2)) {
    const Failure failure = failures.at(below(failures.size()));
    ++faults["all: " + std::string(name_of(failure))];
    for (auto& result : results) result = fail(failure, "as the weather wants it");
  } else {
    const int status = statuses.at(below(statuses.size()));
    ++faults["all: HTTP " + std::to_string(status)];
    for (auto& result : results) result = HttpResponse{status, "not now\n", {}};
  }
}

void Weather::spoil_one(Result<HttpResponse>& result) {
  if (!result) return;
  std::string& body = result->body;
  switch (below(6)) {
    case 0: {
      const Failure failure = failures.at(below(failures.size()));
      ++faults["one: " + std::string(name_of(failure))];
      result = fail(failure, "as the weather wants it");
      return;
    }
    case 1: {
      const int status = statuses.at(below(statuses.size() - 1));
      ++faults["one: HTTP " + std::to_string(status)];
      result = HttpResponse{status, "not now\n", {}};
      return;
    }
    case 2:
      ++faults["one: half"];
      body.resize(body.size() / 2);
      return;
    case 3:
      ++faults["one: nothing"];
      body.clear();
      return;
    case 4:
      ++faults["one: deep"];
      body = std::string(100'000, '[');
      return;
    default:
      ++faults["one: another page"];
      body = "<!DOCTYPE html><html><title>It works</title></html>\n";
      return;
  }
}

std::unique_ptr<Http> make_weathered_http(std::unique_ptr<Http> inner, Weather& weather,
                                          Edit edit) {
  return std::make_unique<WeatheredHttp>(std::move(inner), weather, std::move(edit));
}

}  // namespace shortcircuit::soak
