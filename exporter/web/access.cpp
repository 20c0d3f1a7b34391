#include "web/access.h"

#include <crypt.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "web/web_config.h"

namespace shortcircuit {
namespace {

// Fewer than the threads that answer: wrong passwords must not keep those who are known.
constexpr int most_checks_in_line = 4;
constexpr std::size_t most_remembered = 32;

// Takes the same time wherever two texts of one length differ.
bool equal_in_steady_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  }
  return difference == 0;
}

struct Credentials {
  std::string name;
  std::string password;
};

std::optional<Credentials> credentials_of(std::string_view authorization) {
  constexpr std::string_view scheme = "basic ";
  if (to_lower(authorization.substr(0, scheme.size())) != scheme) return std::nullopt;
  const auto text = base64_decode(trim(authorization.substr(scheme.size())));
  // A zero would end the password for crypt, and "right\0anything" would pass.
  if (!text || text->contains('\0')) return std::nullopt;
  const auto colon = text->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return Credentials{text->substr(0, colon), text->substr(colon + 1)};
}

WebResponse too_many(const char* what) {
  WebResponse response = text_response(429, what);
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

void set_header(WebResponse& response, const std::string& name, const std::string& value) {
  std::erase_if(response.headers,
                [&](const auto& header) { return to_lower(header.first) == to_lower(name); });
  response.headers.emplace_back(name, value);
}

class Guard {
 public:
  Guard(std::string path, WebHandler pages, PasswordCheck check)
      : path_(std::move(path)), pages_(std::move(pages)), check_(std::move(check)) {}

  // Reads the file again; nothing while it has a mistake, which is logged once.
  std::shared_ptr<const WebConfig> current() {
    Result<std::string> text = read_file(path_);
    const std::lock_guard lock(mutex_);
    const std::string seen = text ? "text:" + *text : "error:" + text.error().message;
    if (seen == seen_) return config_;
    seen_ = seen;
    config_ = nullptr;
    problem_ = text ? "" : text.error().message;
    if (text) {
      if (auto parsed = parse_web_config(*text, path_)) {
        const bool tls = parsed->tls.has_value();
        if (tls == tls_.value_or(tls)) {
          tls_ = tls;
          config_ = std::make_shared<const WebConfig>(std::move(*parsed));
        } else {  // whoever asks for TLS must not get an open port, and the other way round
          problem_ = path_ + ": tls_server_config has come or gone; expected a restart";
        }
      } else {
        std::vector<std::string> lines;
        for (const ConfigProblem& problem : parsed.error()) lines.push_back(problem.text());
        problem_ = join(lines, "\n");
      }
    }
    tokens_ = config_ ? config_->request_burst : 0;
    // At the start it is the caller who says so, and ends.
    if (!config_ && opened_) {
      log_error("web configuration broken, access is closed", {{"error", problem_}});
    }
    opened_ = opened_ || config_ != nullptr;
    return config_;
  }
  [[nodiscard]] std::string problem() const { return problem_; }

  WebResponse answer(const WebRequest& request) {
    const auto config = current();
    if (!config) {
      return text_response(500, "The web configuration has a mistake; the log says which.\n");
    }
    WebResponse response = limited(*config, request);
    for (const auto& [name, value] : config->headers) set_header(response, name, value);
    return response;
  }

  // None while the file has a mistake.
  std::string header_lines() {
    std::string lines;
    if (const auto config = current()) {
      for (const auto& [name, value] : config->headers) lines += name + ": " + value + "\r\n";
    }
    return lines;
  }

 private:
  enum class Verdict { yes, no, busy };

  WebResponse limited(const WebConfig& config, const WebRequest& request) {
    if (!take_token(config)) return too_many("Too many requests.\n");
    switch (config.users.empty() ? Verdict::yes : judge(config, request.authorization)) {
      case Verdict::yes: return pages_(request);
      case Verdict::busy: return too_many("Too many passwords are being checked.\n");
      case Verdict::no: break;
    }
    WebResponse response = text_response(401, "Give a user's name and password.\n");
    response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"shortcircuit-exporter\"");
    return response;
  }

  bool take_token(const WebConfig& config) {
    if (config.request_interval <= Duration::zero()) return true;
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    const double gained = seconds(now - last_token_) / seconds(config.request_interval);
    tokens_ = std::min<double>(config.request_burst, tokens_ + gained);
    last_token_ = now;
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

  // Exactly one hash is computed whether there is such a user or not: for a name that nobody has
  // it is some user's, always the same one, so that time tells nothing.
  Verdict judge(const WebConfig& config, const std::string& authorization) {
    const auto given = credentials_of(authorization);
    if (!given) return Verdict::no;
    const auto user = std::find_if(config.users.begin(), config.users.end(),
                                   [&](const auto& one) { return one.first == given->name; });
    const bool known = user != config.users.end();
    const std::string& hash =
        known ? user->second
              : config.users[std::hash<std::string>()(given->name) % config.users.size()].second;
    const std::string entry = given->name + '\0' + given->password + '\0' + hash;
    if (known && remembered(entry)) return Verdict::yes;
    if (++in_line_ > most_checks_in_line) {
      --in_line_;
      return Verdict::busy;
    }
    bool matches = false;
    {
      const std::lock_guard lock(check_mutex_);
      matches = check_(given->password, hash);
    }
    --in_line_;
    if (!matches || !known) return Verdict::no;
    remember(entry);
    return Verdict::yes;
  }

  bool remembered(const std::string& entry) {
    const std::lock_guard lock(mutex_);
    bool found = false;
    for (const std::string& one : remembered_) found = equal_in_steady_time(one, entry) || found;
    return found;
  }
  void remember(const std::string& entry) {
    const std::lock_guard lock(mutex_);
    remembered_.push_back(entry);
    if (remembered_.size() > most_remembered) remembered_.pop_front();
  }

  const std::string path_;
  const WebHandler pages_;
  const PasswordCheck check_;
  std::mutex check_mutex_;  // one at a time: they cost a whole processor
  std::atomic<int> in_line_{0};
  std::mutex mutex_;  // of everything below
  std::string seen_;
  bool opened_ = false;      // there was a good one once
  std::optional<bool> tls_;  // with TLS from the start?
  std::string problem_;
  std::shared_ptr<const WebConfig> config_;
  double tokens_ = 0;
  std::chrono::steady_clock::time_point last_token_ = std::chrono::steady_clock::now();
  std::deque<std::string> remembered_;  // credentials that were right, with the hash they matched
};

}  // namespace

bool password_matches(const std::string& password, const std::string& hash) {
  const auto workspace = std::make_unique<crypt_data>();
  const char* made = crypt_r(password.c_str(), hash.c_str(), workspace.get());
  return made != nullptr && equal_in_steady_time(made, hash);
}

Result<GuardedPages> guard_pages(const std::string& path, WebHandler pages, PasswordCheck check) {
  if (path.empty()) return GuardedPages{std::move(pages), nullptr, false};
  auto guard = std::make_shared<Guard>(path, std::move(pages), std::move(check));
  const auto config = guard->current();
  if (!config) return fail(Failure::schema, guard->problem());
  return GuardedPages{[guard](const WebRequest& request) { return guard->answer(request); },
                      [guard] { return guard->header_lines(); }, config->tls.has_value()};
}

}  // namespace shortcircuit
