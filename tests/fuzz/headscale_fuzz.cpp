// Headscale's answers, new and old; the first byte chooses the reader.
#include "fuzz/fuzz.h"
#include "sources/headscale/parse.h"
#include "sources/headscale/source.h"

using namespace shortcircuit;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Input input = fuzz::choose(data, size, 5);
  switch (input.choice) {
    case 0: {
      const bool read = headscale::parse_nodes(input.body).has_value();
      const auto kept = headscale::reduce_for_recording("node", input.body);
      fuzz::must(!read || (kept && headscale::parse_nodes(*kept)), "recorded nodes can be read");
      break;
    }
    case 1: {
      std::vector<headscale::Node> nodes{{.id = "1", .given_name = "a"},
                                         {.id = "2", .given_name = "b"}};
      (void)headscale::parse_routes(input.body, nodes);
      break;
    }
    case 2: {
      const bool read = headscale::parse_api_keys(input.body).has_value();
      const auto kept = headscale::reduce_for_recording("apikey", input.body);
      fuzz::must(!read || (kept && headscale::parse_api_keys(*kept)), "recorded keys can be read");
      break;
    }
    case 3: {
      const bool read = headscale::parse_pre_auth_keys(input.body).has_value();
      const auto kept = headscale::reduce_for_recording("preauthkey", input.body);
      fuzz::must(!read || (kept && headscale::parse_pre_auth_keys(*kept)),
                 "recorded pre-auth keys can be read");
      break;
    }
    default: (void)headscale::parse_health(input.body);
  }
  return 0;
}
