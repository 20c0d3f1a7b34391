// The command line: what each mistake is answered with, and what the words come to.
#include "app/options.h"

#include "base/text.h"
#include "support/catch.h"

using namespace shortcircuit;

namespace {

std::expected<Options, Exit> parse(const std::string& line) {
  std::vector<std::string> words = split("shortcircuit-exporter " + line, ' ');
  std::erase(words, "");
  std::vector<const char*> arguments;
  for (const std::string& word : words) arguments.push_back(word.c_str());
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

struct Mistake {
  const char* line;
  const char* message;
};

}  // namespace

TEST_CASE("command line: every mistake has one clear line and exit code 2") {
  const auto [line, message] = GENERATE(values<Mistake>({
      {"", "give --config FILE (or --replay DIR)"},
      {"check", "give --config FILE (or --replay DIR)"},
      {"--print.rbac", "give --config FILE (or --replay DIR)"},
      {"--config", "--config wants a value"},
      {"--config a --config b", "--config is given more than once"},
      {"--config a --config.file b", "--config is given more than once"},
      {"--config a --log.level debug --log.level info", "--log.level is given more than once"},
      {"--config.check=banana --config a", "--config.check takes no value"},
      {"--config a --log.level loud", "--log.level loud: want debug, info, warn or error"},
      {"--config a --log.format xml", "--log.format xml: want logfmt or json"},
      {"check --config a --output yaml", "--output yaml: want table or json"},
      {"serve --config a --output json", "--output is for check and depends"},
      {"--config a --web.telemetry-path metrics",
       "--web.telemetry-path metrics: want a path such as /metrics"},
      {"--config a --web.telemetry-path /", "--web.telemetry-path /: want a path such as /metrics"},
      {"--config a --web.systemd-socket --web.listen-address :1",
       "--web.systemd-socket beside --web.listen-address; give one"},
      {"--config a --web.listen-address 10067",
       "--web.listen-address 10067: a port alone; did you mean :10067?"},
      {"--config a --web.listen-address localhost",
       "--web.listen-address localhost: want a port too, such as :10067, 127.0.0.1:10067 or "
       "[::1]:10067"},
      {"--config a --web.listen-address [::1]",
       "--web.listen-address [::1]: want a port too, such as :10067, 127.0.0.1:10067 or "
       "[::1]:10067"},
      {"--config a --web.listen-address [127.0.0.1:1,127.0.0.1:2]",
       "--web.listen-address [127.0.0.1:1,127.0.0.1:2]: want a port too, such as :10067, "
       "127.0.0.1:10067 or [::1]:10067"},
      {"--config a --web.listen-address :1 :2", "unknown word :2"},
      {"--replay d --replay.step-interval 30",
       "--replay.step-interval: expected a duration such as 500ms, 15s, 10m or 1h, got \"30\"; did "
       "you mean 30s?"},
      {"--replay d --replay.step-interval -1s",
       "--replay.step-interval: expected a duration such as 500ms, 15s, 10m or 1h, got \"-1s\""},
      {"--config a --replay.step-interval 30s",
       "--replay.step-interval without --replay: say which recording"},
      {"check --config a --replay.step 01", "--replay.step without --replay: say which recording"},
      {"check --replay d --replay.step-interval 30s", "--replay.step-interval is for serve alone"},
      {"serve --replay d --replay.step 01",
       "--replay.step is for check and depends; serve plays every step, or takes one step's "
       "directory as --replay"},
      {"capture out --replay d", "capture asks the network, so it takes no --replay"},
      {"capture --config a", "capture: say where to: a directory that does not exist yet"},
      {"depends --config a", "depends: say on what: a network's name or a CIDR"},
      {"depends 10.1.2.3/16 --config a",
       "depends 10.1.2.3/16: want a network without host bits, did you mean 10.1.0.0/16?"},
      {"depends 10.1.0.0/99 --config a",
       "depends 10.1.0.0/99: want a network's name, or a CIDR such as 10.0.0.0/8"},
      {"check serve --config a", "serve beside another command; give one"},
      {"chekc --config a", "unknown word chekc, did you mean check?"},
      {"--confg a", "unknown flag --confg, did you mean --config?"},
      {"-x --config a", "unknown flag -x"},
      {"depends a b --config c", "unknown word b"},
  }));
  CAPTURE(line);
  const auto options = parse(line);
  REQUIRE_FALSE(options);
  CHECK(options.error().code == 2);
  CHECK(options.error().text_stdout.empty());
  CHECK(options.error().text_stderr ==
        "shortcircuit-exporter: " + std::string(message) + "; see --help\n");
}

TEST_CASE("command line: flags before and after the command, both names of --config") {
  const auto check = parse("--output json check --config.file a.yaml");
  REQUIRE(check);
  CHECK(check->command == Command::check);
  CHECK(check->output == OutputFormat::json);
  CHECK(check->config_path == "a.yaml");

  const auto depends = parse("depends 2001:db8::/32 --replay d --replay.step 02");
  REQUIRE(depends);
  CHECK(depends->depends_on == "2001:db8::/32");
  CHECK(depends->replay_step == "02");
  REQUIRE(parse("depends 10.1.2.3 --replay d"));
  REQUIRE(parse("depends old-overlay --replay d"));

  const auto serve = parse("--replay d --replay.step-interval 1m30s --log.format=json");
  REQUIRE(serve);
  CHECK(serve->command == Command::serve);
  CHECK(serve->replay_step_interval == 90s);
  CHECK(serve->log_format == LogFormat::json);
  CHECK(serve->listen_addresses == std::vector<std::string>{":10067"});
}

TEST_CASE("command line: help, version and references need no configuration") {
  for (const char* line : {"--help", "-h", "check --help", "--version", "--print.command-line"}) {
    CAPTURE(line);
    const auto options = parse(line);
    REQUIRE_FALSE(options);
    CHECK(options.error().code == 0);
    CHECK_FALSE(options.error().text_stdout.empty());
    CHECK(options.error().text_stderr.empty());
  }
  CHECK(parse("--print.metrics"));
  CHECK(parse("--print.configuration"));
}
