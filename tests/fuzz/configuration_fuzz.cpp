// The configuration file: whatever is accepted can be printed and read again, and no problem and no
// print holds a secret.
#include "config/load.h"
#include "config/print.h"
#include "fuzz/fuzz.h"

using namespace shortcircuit;

namespace {

constexpr const char* secret = "s3cr3t-of-the-environment";

std::optional<std::string> environment(const std::string& name) {
  if (name == "SECRET") return secret;
  if (name == "HOST") return "node.example";
  return std::nullopt;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A replay's rules: no file but this one is opened.
  const LoadOptions options{.for_replay = true, .environment = environment};
  const auto loaded = parse_config(fuzz::text_of(data, size), "fuzz.yaml", options);
  if (!loaded) {
    fuzz::must(!loaded.error().empty(), "a refused configuration has a problem");
    // Unless the input guessed it.
    const bool known = fuzz::text_of(data, size).find(secret) != std::string_view::npos;
    for (const ConfigProblem& problem : loaded.error()) {
      fuzz::must(known || problem.text().find(secret) == std::string::npos,
                 "problems hold no secret");
    }
    return 0;
  }
  const std::string printed = redacted_yaml(*loaded);
  fuzz::must(parse_config(printed, "printed.yaml", options).has_value(),
             "a printed configuration can be read");
  return 0;
}
