#include "http/http.h"

#include <fmt/format.h>

#include "base/text.h"

namespace shortcircuit {
namespace {

// A URL without what may be secret in it.
std::string place_of(std::string_view url) {
  return without_userinfo(url.substr(0, url.find_first_of("?#")));
}

}  // namespace

Result<HttpResponse> expect_success(Result<HttpResponse> response, const HttpRequest& request) {
  if (!response) return std::unexpected(response.error().in(request.answer));
  const int status = response->status;
  if (status >= 200 && status < 300) {
    // Nothing that is read here is one, whatever it looks like inside.
    if (response->header("content-type").starts_with("text/html")) {
      return fail(Failure::syntax,
                  fmt::format("{}: the answer is a web page: a login or a user interface stands at "
                              "this URL; give that of the API itself",
                              request.answer));
    }
    return response;
  }
  if (status == 401 || status == 403) {
    return fail(Failure::auth,
                fmt::format("{}: HTTP {}: check the credentials and permissions of this source",
                            request.answer, status),
                status);
  }
  std::string message = fmt::format("{}: HTTP {}", request.answer, status);
  if (status == 404) message += " from " + place_of(request.url);
  if (status >= 300 && status < 400) {
    const std::string where = place_of(response->header("location"));
    message += fmt::format(
        " to {}: a login or another server stands at this URL; give that of the "
        "API itself",
        where.empty() ? "elsewhere" : where);
  }
  return fail(Failure::status, std::move(message), status);
}

}  // namespace shortcircuit
