#include "web/pages.h"

#include "support/catch.h"

using namespace shortcircuit;

namespace {

PageSources ready_sources() {
  return {.metrics_text = [] { return std::make_shared<const std::string>("a 1\n"); },
          .metrics_gzip = [] { return std::make_shared<const std::string>("packed"); },
          .status_page = [] { return std::string("<p>page"); },
          .findings_json = [] { return std::string("{}"); },
          .redacted_config = [] { return std::string("kubernetes: {}\n"); },
          .reload = []() -> Result<void> { return {}; }};
}

WebResponse ask(const PageSources& sources, std::string method, std::string path,
                std::string encoding = "") {
  return make_pages(sources)({.method = std::move(method),
                              .path = std::move(path),
                              .query = "",
                              .accept_encoding = std::move(encoding)});
}

}  // namespace

TEST_CASE("which codings a client takes") {
  CHECK(accepts_gzip("gzip"));
  CHECK(accepts_gzip("deflate, GZIP;q=0.5"));
  CHECK(accepts_gzip("*"));
  CHECK_FALSE(accepts_gzip(""));
  CHECK_FALSE(accepts_gzip("identity"));
  CHECK_FALSE(accepts_gzip("gzip;q=0"));
  CHECK_FALSE(accepts_gzip("gzip; q=0.0, *"));
  CHECK_FALSE(accepts_gzip("*;q=0"));
  CHECK_FALSE(accepts_gzip("notgzip"));
}

TEST_CASE("paths, methods and statuses") {
  const PageSources sources = ready_sources();
  CHECK(*ask(sources, "GET", "/metrics").body == "a 1\n");
  CHECK(ask(sources, "GET", "/metrics").content_type == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(ask(sources, "GET", "/metrics", "gzip").content_encoding == "gzip");
  CHECK(ask(sources, "GET", "/metrics", "gzip;q=0").content_encoding.empty());
  CHECK(ask(sources, "HEAD", "/metrics").status == 200);
  CHECK(ask(sources, "POST", "/metrics").status == 405);
  CHECK(ask(sources, "GET", "/metrics/more").status == 404);
  CHECK(ask(sources, "GET", "/../etc/passwd").status == 404);
  CHECK(ask(sources, "GET", "/-/healthy").status == 200);
  CHECK(ask(sources, "GET", "/-/ready").status == 200);
  CHECK(ask(sources, "GET", "/-/reload").status == 405);
  CHECK(ask(sources, "POST", "/-/reload").status == 200);
  CHECK(ask(sources, "GET", "/api/findings").content_type == "application/json");
}

TEST_CASE("a request with a body is refused before it does anything") {
  PageSources sources = ready_sources();
  bool reloaded = false;
  sources.reload = [&]() -> Result<void> {
    reloaded = true;
    return {};
  };
  CHECK(make_pages(sources)({.method = "POST", .path = "/-/reload", .has_body = true}).status ==
        413);
  CHECK_FALSE(reloaded);
}

TEST_CASE("before the first snapshot the process is healthy and nothing else is ready") {
  PageSources sources = ready_sources();
  sources.metrics_text = [] { return std::shared_ptr<const std::string>(); };
  CHECK(ask(sources, "GET", "/-/healthy").status == 200);
  for (const auto* path : {"/metrics", "/-/ready", "/", "/api/findings"}) {
    CHECK(ask(sources, "GET", path).status == 503);
  }
}

TEST_CASE("a reload that fails says why and keeps the old configuration") {
  PageSources sources = ready_sources();
  sources.reload = []() -> Result<void> { return fail(Failure::internal, "f.yaml:1:1: x"); };
  const auto response = ask(sources, "POST", "/-/reload");
  CHECK(response.status == 500);
  CHECK(response.body->find("f.yaml:1:1") != std::string::npos);
}
