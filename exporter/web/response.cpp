#include <cstdlib>

#include "base/text.h"
#include "web/server.h"

namespace shortcircuit {

WebResponse text_response(int status, std::string body) {
  return {.status = status, .body = std::make_shared<const std::string>(std::move(body))};
}

bool accepts_gzip(std::string_view accept_encoding) {
  bool any = false;
  bool any_set = false;
  for (const std::string& part : split(accept_encoding, ',')) {
    const auto semicolon = part.find(';');
    const std::string coding = to_lower(trim(std::string_view(part).substr(0, semicolon)));
    bool accepted = true;
    if (semicolon != std::string::npos) {
      const std::string parameter = to_lower(trim(std::string_view(part).substr(semicolon + 1)));
      if (parameter.starts_with("q=")) accepted = std::strtod(parameter.c_str() + 2, nullptr) > 0;
    }
    if (coding == "gzip" || coding == "x-gzip") return accepted;
    if (coding == "*") {
      any = accepted;
      any_set = true;
    }
  }
  return any_set && any;
}

}  // namespace shortcircuit
