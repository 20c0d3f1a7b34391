// What the server's handler makes of a request, without a socket. Lines of the input: method, path,
// query, Accept-Encoding, Authorization.
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "web/pages.h"

using namespace shortcircuit;

namespace {

WebHandler make_handler(bool ready) {
  const auto text = std::make_shared<const std::string>("up 1\n");
  const auto packed = std::make_shared<const std::string>("\x1f\x8b packed");
  PageSources sources;
  sources.metrics_text = [=] { return ready ? text : nullptr; };
  sources.metrics_gzip = [=] { return ready ? packed : nullptr; };
  sources.status_page = [] { return std::string("<html>"); };
  sources.findings_json = [] { return std::string("{}"); };
  sources.redacted_config = [] { return std::string("networks: []\n"); };
  sources.reload = []() -> Result<void> { return fail(Failure::internal, "kept"); };
  return make_pages(std::move(sources));
}

bool one_line(std::string_view text) {
  return text.find_first_of("\r\n") == std::string_view::npos;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const WebHandler handlers[] = {make_handler(true), make_handler(false)};
  std::vector<std::string> lines = split(fuzz::text_of(data, size), '\n');
  lines.resize(5);
  const WebRequest request{.method = lines[0],
                           .path = lines[1],
                           .query = lines[2],
                           .accept_encoding = lines[3],
                           .authorization = lines[4],
                           .remote_address = "127.0.0.1"};
  for (const WebHandler& handler : handlers) {
    const WebResponse response = handler(request);
    fuzz::must(response.status >= 200 && response.status < 600, "a status of HTTP");
    fuzz::must(response.body != nullptr, "an answer has a body");
    fuzz::must(response.content_encoding.empty() || accepts_gzip(request.accept_encoding),
               "gzip only for who takes it");
    fuzz::must(one_line(response.content_type), "headers are one line");
    for (const auto& [name, value] : response.headers)
      fuzz::must(one_line(name) && one_line(value), "headers are one line");
  }
  return 0;
}
