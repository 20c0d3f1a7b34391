// An etcd member's answers; the first byte chooses the reader.
#include "fuzz/fuzz.h"
#include "sources/etcd/parse.h"
#include "sources/etcd/source.h"

using namespace shortcircuit;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr const char* answers[] = {"metrics", "health", "version", "status", "members", "alarms"};
  const fuzz::Input input = fuzz::choose(data, size, std::size(answers));
  const auto readable = [&](std::string_view body) {
    etcd::State state;
    bool read = false;
    switch (input.choice) {
      case 0: read = etcd::read_metrics(body, state).has_value(); break;
      case 1: read = etcd::read_health(body, state).has_value(); break;
      case 2: read = etcd::read_version(body, state).has_value(); break;
      case 3: read = etcd::read_status(body, state).has_value(); break;
      case 4: read = etcd::read_members(body).has_value(); break;
      default: read = etcd::read_alarms(body).has_value();
    }
    etcd::settle(state);
    return read;
  };
  const bool read = readable(input.body);
  const auto kept = etcd::reduce_for_recording(answers[input.choice], input.body);
  fuzz::must(!read || (kept && readable(*kept)), "a recorded answer can be read");
  return 0;
}
