// Faults at random, but the same ones for the same seed: what upstreams do over weeks, in minutes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "http/http.h"

namespace shortcircuit::soak {

class Weather {
 public:
  explicit Weather(std::uint64_t seed) : random_(seed) {}

  bool calm = false;
  std::map<std::string, std::uint64_t> faults;  // how many of each kind there were

  // Spoils the results of one fetch, or not.
  void spoil(std::vector<Result<HttpResponse>>& results);

 private:
  bool one_in(int n) { return random_() % static_cast<std::uint64_t>(n) == 0; }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  void spoil_all(std::vector<Result<HttpResponse>>& results);
  void spoil_one(Result<HttpResponse>& result);

  std::mt19937_64 random_;
};

// `inner`, whose answers `edit` may change and `weather` may spoil.
using Edit = std::function<void(const HttpRequest& request, std::string& body)>;
std::unique_ptr<Http> make_weathered_http(std::unique_ptr<Http> inner, Weather& weather, Edit edit);

}  // namespace shortcircuit::soak
