// Where a transfer goes and as whom: URL, credentials, TLS.
#include <fmt/format.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/address.h"
#include "base/text.h"
#include "base/version.h"
#include "http/curl_transfer.h"

namespace shortcircuit {

namespace {

bool has_line_break(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

Result<void> expect_readable(const std::string& path, std::string_view what, Failure failure) {
  if (path.empty() || access(path.c_str(), R_OK) == 0) return {};
  return fail(failure, fmt::format("cannot read {} {}: {}", what, path, std::strerror(errno)));
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

// The URL with another host; nothing when it is no URL.
std::optional<std::string> with_host(const std::string& url, const std::string& host) {
  const UrlHandle parts(curl_url());
  if (!parts ||
      curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), CURLU_PATH_AS_IS) != CURLUE_OK ||
      curl_url_set(parts.get(), CURLUPART_HOST, host.c_str(), 0) != CURLUE_OK) {
    return std::nullopt;
  }
  char* text = nullptr;
  if (curl_url_get(parts.get(), CURLUPART_URL, &text, 0) != CURLUE_OK) return std::nullopt;
  std::string result(text);
  curl_free(text);
  return result;
}

}  // namespace

Result<void> Transfer::prepare_target(OptionSetter& options) {
  const auto url = parse_url(request_.url);
  if (!url) return fail(Failure::internal, "this is no URL");
  const auto given = [&](std::string_view wanted) {
    return std::ranges::any_of(
        request_.headers, [&](const auto& header) { return to_lower(header.first) == wanted; });
  };
  // Of several entries libcurl takes the first.
  if (request_.probe && !request_.probe->connect_to.empty()) {
    const auto address = IpAddress::parse(request_.probe->connect_to);
    connect_to_.add(address ? "::" + bracketed(address->text()) + ":"
                            : "::" + request_.probe->connect_to);
  }
  const std::string& server_name = endpoint_.tls.server_name;
  if (url->scheme == "https" && !server_name.empty() && server_name != url->host) {
    // libcurl takes the name for SNI and verification from the URL, so the URL gets it, while
    // the connection goes to the real host, which also stays in the Host header.
    const auto renamed = with_host(request_.url, server_name);
    if (!renamed) return fail(Failure::internal, "server_name is no host name");
    options.set(CURLOPT_URL, *renamed);
    connect_to_.add("::" + bracketed(url->host) + ":");
    if (!given("host")) {
      headers_.add("Host: " + bracketed(url->host) +
                   (url->port != 0 ? ":" + std::to_string(url->port) : ""));
    }
  } else {
    options.set(CURLOPT_URL, request_.url);
  }
  if (connect_to_.get() != nullptr) options.set(CURLOPT_CONNECT_TO, connect_to_.get());
  if (!endpoint_.unix_socket.empty()) {
    constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;
    if (endpoint_.unix_socket.size() > longest) {
      return fail(Failure::connect,
                  fmt::format("the socket's path is longer than {} characters", longest));
    }
    options.set(CURLOPT_UNIX_SOCKET_PATH, endpoint_.unix_socket);
  }
  options.set(CURLOPT_USERAGENT, "shortcircuit-exporter/" + std::string(version()));
  if (request_.method == Method::post) {
    options.set(CURLOPT_POST, 1L);
    options.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    options.set(CURLOPT_POSTFIELDS, request_.body.c_str());
    headers_.add("Expect:");
    if (!given("content-type")) {
      headers_.add(request_.body.empty() ? "Content-Type:" : "Content-Type: application/json");
    }
  }
  for (const auto& [name, value] : request_.headers) {
    if (has_line_break(name) || has_line_break(value)) {
      return fail(Failure::internal, "a header holds a line break");
    }
    headers_.add(name + ": " + value);
  }
  return {};
}

Result<void> Transfer::prepare_credentials(OptionSetter& options) {
  if (!endpoint_.username.empty()) {
    const auto password = endpoint_.password.reveal();
    if (!password) return std::unexpected(password.error());
    options.set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    options.set(CURLOPT_USERNAME, endpoint_.username);
    options.set(CURLOPT_PASSWORD, *password);
  } else if (!endpoint_.bearer_token.empty()) {
    const auto token = endpoint_.bearer_token.reveal();
    if (!token) return std::unexpected(token.error());
    if (has_line_break(*token)) {
      return fail(Failure::auth, "the bearer token holds a line break" +
                                     (endpoint_.bearer_token.path().empty()
                                          ? std::string()
                                          : ": check " + endpoint_.bearer_token.path()));
    }
    headers_.add("Authorization: Bearer " + *token);
  }
  return {};
}

Result<void> Transfer::prepare_tls(OptionSetter& options) const {
  const TlsSettings& tls = endpoint_.tls;
  options.set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  const long verify = tls.insecure_skip_verify ? 0L : 1L;
  options.set(CURLOPT_SSL_VERIFYPEER, verify);
  options.set(CURLOPT_SSL_VERIFYHOST, 2L * verify);
  const bool through_https_proxy =
      request_.probe && to_lower(request_.probe->proxy).starts_with("https://");
  if (through_https_proxy) {
    options.set(CURLOPT_PROXY_SSL_VERIFYPEER, verify);
    options.set(CURLOPT_PROXY_SSL_VERIFYHOST, 2L * verify);
  }
  if (!tls.ca_file.empty()) {
    const auto readable = expect_readable(tls.ca_file, "ca_file", Failure::tls);
    if (!readable) return readable;
    options.set(CURLOPT_CAINFO, tls.ca_file);
    if (through_https_proxy) options.set(CURLOPT_PROXY_CAINFO, tls.ca_file);
  } else if (!tls.ca_pem.empty()) {
    options.set_blob(CURLOPT_CAINFO_BLOB, tls.ca_pem);
    if (through_https_proxy) options.set_blob(CURLOPT_PROXY_CAINFO_BLOB, tls.ca_pem);
  }
  if (!tls.ca_file.empty() || !tls.ca_pem.empty()) {
    // Nobody but the given authority is trusted.
    options.set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
    if (through_https_proxy) options.set(CURLOPT_PROXY_CAPATH, static_cast<char*>(nullptr));
  }
  if (!tls.cert_file.empty()) {
    const std::string& key_file = tls.key_file.empty() ? tls.cert_file : tls.key_file;
    for (const auto& [path, what] :
         {std::pair(tls.cert_file, "cert_file"), {key_file, "key_file"}}) {
      const auto readable = expect_readable(path, what, Failure::auth);
      if (!readable) return readable;
    }
    options.set(CURLOPT_SSLCERT, tls.cert_file);
    options.set(CURLOPT_SSLKEY, key_file);
  } else if (!tls.cert_pem.empty()) {
    const auto key = tls.key_pem.reveal();
    if (!key) return std::unexpected(key.error());
    options.set_blob(CURLOPT_SSLCERT_BLOB, tls.cert_pem);
    options.set_blob(CURLOPT_SSLKEY_BLOB, *key);
  }
  return {};
}

}  // namespace shortcircuit
