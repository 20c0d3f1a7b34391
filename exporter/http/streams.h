// Answers that are followed: the lines of a GET whose body has no end, as they come.
//
// Contract: start() never waits, and what cannot begin is a stream that has ended; what arrives is
// gathered until take() asks for it. Only an answer with status 200 is open; every other status, a
// broken connection, a deadline that passed and more bytes than may wait (`Streams::held_limit`, of
// all streams together) end the stream with an error. Letting go of a Stream closes its connection
// and drops what it holds. A peer that vanished without a word is noticed within about half a
// minute, while nothing is sent. Thread rules: an object and its streams belong to one source and
// are used by one thread at a time; the work is done by one thread of the implementation, however
// many streams there are.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "http/http.h"

namespace shortcircuit {

class Stream {
 public:
  enum class Phase {
    opening,  // no answer yet
    open,
    ended,
  };
  struct Arrived {
    Phase phase = Phase::opening;
    std::vector<std::string> lines;  // since the last call, without their line breaks; none empty
    // How it ended; nothing when the server ended it in order. With a status other than 200:
    // Failure::auth or Failure::status and `http_status`.
    std::optional<Error> error;
  };

  virtual ~Stream() = default;
  virtual Arrived take() = 0;
};

class Streams {
 public:
  static constexpr std::size_t line_limit = 8U << 20;
  static constexpr std::size_t held_limit = 16U << 20;

  virtual ~Streams() = default;
  // A GET whose head must be there by `open_by`, and which is cut off at `end_by`.
  virtual std::unique_ptr<Stream> start(HttpRequest request, Deadline open_by, Deadline end_by) = 0;
  // Waits until no stream is opening any more, at most until `deadline` or until `stop`.
  virtual void settle(Deadline deadline, std::stop_token stop) = 0;
};

}  // namespace shortcircuit
