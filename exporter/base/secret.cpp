#include "base/secret.h"

#include "base/text.h"

namespace shortcircuit {

Secret Secret::of_value(std::string value) {
  Secret secret;
  secret.value_ = std::move(value);
  return secret;
}

Secret Secret::of_file(std::string path) {
  Secret secret;
  secret.path_ = std::move(path);
  return secret;
}

Result<std::string> Secret::reveal() const {
  if (path_.empty()) return value_;
  auto content = read_file(path_);
  if (!content) return fail(Failure::auth, content.error().message);
  const auto end = content->find_last_not_of(" \t\r\n");
  content->resize(end == std::string::npos ? 0 : end + 1);
  if (content->empty()) {
    return fail(Failure::auth, "credential file " + path_ + " is empty: put the secret into it");
  }
  return content;
}

}  // namespace shortcircuit
