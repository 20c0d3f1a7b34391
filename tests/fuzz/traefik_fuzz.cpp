// Traefik's answers; the first byte chooses the reader.
#include "fuzz/fuzz.h"
#include "sources/traefik/parse.h"
#include "sources/traefik/source.h"

using namespace shortcircuit;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  struct Reader {
    const char* answer;
    Result<void> (*parse)(std::string_view, traefik::State&);
  };
  constexpr Reader readers[] = {{"version", traefik::parse_version},
                                {"overview", traefik::parse_overview},
                                {"entrypoints", traefik::parse_entry_points},
                                {"http-routers", traefik::parse_routers},
                                {"http-services", traefik::parse_services},
                                {"http-middlewares", traefik::parse_middlewares}};
  const fuzz::Input input = fuzz::choose(data, size, std::size(readers));
  const Reader& reader = readers[input.choice];
  traefik::State state;
  const bool read = reader.parse(input.body, state).has_value();
  const auto kept = traefik::reduce_for_recording(reader.answer, input.body);
  traefik::State again;
  fuzz::must(!read || (kept && reader.parse(*kept, again)), "a recorded answer can be read");
  return 0;
}
