#include "http/http.h"

#include <fmt/format.h>

namespace shortcircuit {

Result<HttpResponse> expect_success(Result<HttpResponse> response, const HttpRequest& request) {
  if (!response) return std::unexpected(response.error().in(request.answer));
  const int status = response->status;
  if (status >= 200 && status < 300) return response;
  if (status == 401 || status == 403) {
    return fail(Failure::auth,
                fmt::format("{}: HTTP {}: check the credentials and permissions of this source",
                            request.answer, status),
                status);
  }
  return fail(Failure::status, fmt::format("{}: HTTP {}", request.answer, status), status);
}

}  // namespace shortcircuit
