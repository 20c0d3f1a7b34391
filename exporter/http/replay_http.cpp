// Http out of a recording: needs no network, never waits.
#include <map>

#include "http/recording.h"

namespace shortcircuit {

namespace {

class ReplayHttp : public Http {
 public:
  ReplayHttp(std::shared_ptr<const Recording> recording, const ReplayPosition& position,
             std::string source, std::string target)
      : recording_(std::move(recording)),
        position_(position),
        source_(std::move(source)),
        target_(std::move(target)) {}

  std::vector<Result<HttpResponse>> fetch(std::span<const HttpRequest> requests,
                                          Deadline /*deadline*/, std::stop_token stop) override {
    const std::size_t step = position_.step();
    if (step != step_) {
      step_ = step;
      attempts_.clear();
    }
    std::vector<Result<HttpResponse>> results;
    results.reserve(requests.size());
    for (const HttpRequest& request : requests) {
      if (stop.stop_requested()) {
        results.push_back(fail(Failure::cancelled, request.answer + ": stopped"));
        continue;
      }
      const int attempt = ++attempts_[request.answer];
      results.push_back(recording_->answer(step, source_, target_, request, attempt));
      if (results.back()) received_bytes_ += results.back()->body.size();
    }
    return results;
  }

  std::size_t take_received_bytes() override { return std::exchange(received_bytes_, 0); }

 private:
  std::shared_ptr<const Recording> recording_;
  const ReplayPosition& position_;
  std::string source_;
  std::string target_;
  std::size_t step_ = 0;
  std::map<std::string, int> attempts_;  // calls by answer within the step
  std::size_t received_bytes_ = 0;
};

}  // namespace

std::unique_ptr<Http> make_replay_http(std::shared_ptr<const Recording> recording,
                                       const ReplayPosition& position, std::string source,
                                       std::string target) {
  return std::make_unique<ReplayHttp>(std::move(recording), position, std::move(source),
                                      std::move(target));
}

}  // namespace shortcircuit
