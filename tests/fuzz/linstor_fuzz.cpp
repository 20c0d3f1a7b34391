// The LINSTOR controller's answers; the first byte chooses the reader.
#include "fuzz/fuzz.h"
#include "sources/linstor/parse.h"
#include "sources/linstor/source.h"

using namespace shortcircuit;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr const char* answers[] = {
      "controller-version",   "nodes",           "view-resources",   "view-storage-pools",
      "resource-definitions", "resource-groups", "node-connections", "error-reports"};
  const fuzz::Input input = fuzz::choose(data, size, std::size(answers));
  const auto readable = [&](std::string_view body) {
    switch (input.choice) {
      case 0: return linstor::parse_version(body).has_value();
      case 1: return linstor::parse_nodes(body).has_value();
      case 2: return linstor::parse_resources(body).has_value();
      case 3: return linstor::parse_storage_pools(body).has_value();
      case 4: return linstor::parse_definitions(body).has_value();
      case 5: return linstor::parse_groups(body).has_value();
      case 6: return linstor::parse_connections(body, "r").has_value();
      default: return linstor::parse_error_reports(body).has_value();
    }
  };
  const bool read = readable(input.body);
  const auto kept = linstor::reduce_for_recording(answers[input.choice], input.body);
  fuzz::must(!read || (kept && readable(*kept)), "a recorded answer can be read");
  return 0;
}
