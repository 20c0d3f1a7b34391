// What TlsServer does with files; all that needs OpenSSL stands in tls.cpp.
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "web/tls.h"
#include "web/web_config.h"

namespace shortcircuit {

Result<std::shared_ptr<TlsServer>> TlsServer::open(const std::string& web_config_path) {
  if (web_config_path.empty()) return nullptr;
  std::shared_ptr<TlsServer> server(new TlsServer(web_config_path));
  if (!server->read_configuration()) {
    return fail(Failure::schema, web_config_path + " has a mistake; --config.check says which");
  }
  if (!server->settings_) return nullptr;
  if (auto made = server->renew(); !made) {
    return std::unexpected(made.error().in(web_config_path + ": tls_server_config"));
  }
  return server;
}

bool TlsServer::read_configuration() {
  const Result<std::string> text = read_file(web_config_path_);
  if (!text) return false;
  if (*text == seen_configuration_) return true;
  seen_configuration_ = *text;
  const auto config = parse_web_config(*text, web_config_path_);
  if (config && config->tls) settings_ = config->tls;
  return config.has_value();
}

Result<void> TlsServer::renew() {
  (void)read_configuration();
  std::vector<Result<std::string>> files{
      read_file(settings_->cert_file), read_file(settings_->key_file),
      settings_->client_ca_file.empty() ? std::string() : read_file(settings_->client_ca_file)};
  if (*settings_ == seen_settings_ && files == seen_files_) return {};
  seen_settings_ = *settings_;
  seen_files_ = std::move(files);
  auto context = make_tls_context(seen_settings_, seen_files_);
  if (!context) return std::unexpected(context.error());
  if (context_) log_info("TLS certificate read again", {{"cert_file", seen_settings_.cert_file}});
  context_ = std::move(*context);
  context_settings_ = seen_settings_;
  return {};
}

std::unique_ptr<TlsSession> TlsServer::session(int descriptor) {
  if (auto renewed = renew(); !renewed) {
    log_warn(*settings_ == context_settings_
                 ? "TLS files do not work, what was read before stays"
                 : "the changed tls_server_config does not work, nobody is let in until it does",
             {{"error", renewed.error().message}});
  }
  if (*settings_ != context_settings_) return nullptr;
  return std::make_unique<TlsSession>(context_, descriptor);
}

}  // namespace shortcircuit
