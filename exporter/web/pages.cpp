#include "web/pages.h"

#include "base/log.h"

namespace shortcircuit {
namespace {

constexpr const char* exposition_type = "text/plain; version=0.0.4; charset=utf-8";
constexpr const char* not_ready =
    "The first snapshot is not made yet: the exporter is still asking its sources.\n";

WebResponse only(const char* allowed) {
  WebResponse response = text_response(405, std::string("Use ") + allowed + " here.\n");
  response.headers.emplace_back("Allow", allowed);
  return response;
}

WebResponse metrics(const PageSources& sources, const WebRequest& request) {
  const auto text = sources.metrics_text();
  if (!text) return text_response(503, not_ready);
  WebResponse response{.content_type = exposition_type, .body = text};
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (accepts_gzip(request.accept_encoding)) {
    if (auto packed = sources.metrics_gzip(); packed && !packed->empty()) {
      response.body = std::move(packed);
      response.content_encoding = "gzip";
    }
  }
  return response;
}

WebResponse page_response(std::string body, const char* content_type) {
  WebResponse response = text_response(200, std::move(body));
  response.content_type = content_type;
  response.headers = {
      {"X-Content-Type-Options", "nosniff"},
      {"Cache-Control", "no-store"},
      {"Referrer-Policy", "no-referrer"},
      {"X-Frame-Options", "DENY"},
      {"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:"}};
  return response;
}

WebResponse reload(const PageSources& sources) {
  if (const auto reloaded = sources.reload(); !reloaded) {
    return text_response(500, "The old configuration stays:\n" + reloaded.error().message + "\n");
  }
  return text_response(200, "Reloaded.\n");
}

}  // namespace

WebHandler make_pages(PageSources sources) {
  return [sources = std::move(sources)](const WebRequest& request) {
    if (request.has_body) return text_response(413, "This server takes no request bodies.\n");
    const std::string& path = request.path;
    if (path == "/-/reload") {
      return request.method == "POST" || request.method == "PUT" ? reload(sources) : only("POST");
    }
    const bool known = path == sources.telemetry_path || path == "/" || path == "/-/healthy" ||
                       path == "/-/ready" || path == "/api/findings" || path == "/config";
    if (!known) return text_response(404, "There is no such page; / lists what there is.\n");
    if (request.method != "GET" && request.method != "HEAD") return only("GET, HEAD");
    if (path == sources.telemetry_path) return metrics(sources, request);
    if (path == "/-/healthy") return text_response(200, "The exporter works.\n");
    const bool ready = sources.metrics_text() != nullptr;
    if (path == "/-/ready") {
      return ready ? text_response(200, "The exporter is ready.\n") : text_response(503, not_ready);
    }
    if (path == "/config")
      return page_response(sources.redacted_config(), "text/yaml; charset=utf-8");
    if (!ready) {
      WebResponse response = text_response(503, not_ready);
      response.headers.emplace_back("Refresh", "2");
      return response;
    }
    if (path == "/api/findings") return page_response(sources.findings_json(), "application/json");
    return page_response(sources.status_page(), "text/html; charset=utf-8");
  };
}

}  // namespace shortcircuit
