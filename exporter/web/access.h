// Who may ask, how often, and which headers every answer has: the web configuration at work.
//
// The file is read at every request, so that a change counts at once. While it cannot be read or
// has a mistake nobody gets in (500): a slip must never open what was closed. Nor does anybody when
// it asks for TLS where the server began without, or the other way round.
// Thread rules: the handlers may be called from several threads at once.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "web/server.h"

namespace shortcircuit {

// Does the password belong to the bcrypt hash? Slow by design.
bool password_matches(const std::string& password, const std::string& hash);
using PasswordCheck = std::function<bool(const std::string& password, const std::string& hash)>;

struct GuardedPages {
  WebHandler handler;
  HeaderLines header_lines;  // of the file, for answers that come from no page
  bool tls = false;          // the file asks for it
};

// `pages` behind the file `path`; as they are when it is "". Failure::schema with all problems of
// the file as it is now.
Result<GuardedPages> guard_pages(const std::string& path, WebHandler pages,
                                 PasswordCheck check = password_matches);

}  // namespace shortcircuit
