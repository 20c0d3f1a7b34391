// Streams on libcurl: all of one endpoint in one thread, which begins with the first of them.
#pragma once

#include <memory>

#include "http/streams.h"

namespace shortcircuit {

class CurlStreams : public Streams {
 public:
  explicit CurlStreams(Endpoint endpoint);
  ~CurlStreams() override;  // in under 50 ms; streams that are left are ended by it
  CurlStreams(const CurlStreams&) = delete;
  CurlStreams& operator=(const CurlStreams&) = delete;

  std::unique_ptr<Stream> start(HttpRequest request, Deadline open_by, Deadline end_by) override;
  void settle(Deadline deadline, std::stop_token stop) override;
  // Body bytes received since the last call of this function.
  std::size_t take_received_bytes();

 private:
  std::shared_ptr<class StreamLoop> loop_;
};

}  // namespace shortcircuit
