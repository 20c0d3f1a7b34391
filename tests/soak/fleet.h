// The recorded night as a fleet that lives: polled target by target through the weather, judged and
// published as the program does it, with peers that come and go. One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/publication.h"
#include "app/replay.h"
#include "soak/weather.h"

namespace shortcircuit {
class Board;
}

namespace shortcircuit::soak {

class Target;

class LivingFleet {
 public:
  LivingFleet(const std::string& recording, Weather& weather);
  ~LivingFleet();

  [[nodiscard]] std::size_t steps() const { return recording_->steps().size(); }
  // One tick of 7.5 s: every other target is polled in turn, the whole is judged and published.
  // One tailscaled never answers, so that some part of the mesh is unknown for ever.
  // `guests`: numbers of the peers of this moment that no recording has, first and one past the
  // last.
  std::shared_ptr<const Publication> tick(std::size_t step, int first_guest, int end_of_guests);

 private:
  std::unique_ptr<Http> http_of(const std::string& source, const std::string& target);
  void edit(const HttpRequest& request, std::string& body) const;

  Weather& weather_;
  std::shared_ptr<const Recording> recording_;
  std::shared_ptr<const Config> config_;
  Replay replay_;
  std::unique_ptr<Board> board_;
  Ledger ledger_;
  Time time_;
  std::size_t ticks_ = 0;
  int first_guest_ = 0;
  int end_of_guests_ = 0;
  std::vector<std::unique_ptr<Target>> targets_;
  std::shared_ptr<const Publication> latest_;
};

// Name of a guest, always of the same length.
std::string guest_name(int number);

}  // namespace shortcircuit::soak
