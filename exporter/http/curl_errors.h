// Turns what libcurl says into the exporter's failures and sentences. Private to http/.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace shortcircuit {

// What is known of a transfer that libcurl gave up.
struct TransferFailure {
  int code = 0;                // CURLcode
  int os_errno = 0;            // of the last connect
  bool answer_begun = false;   // a status line arrived
  bool answer_headed = false;  // … and the end of the headers
  bool connected = false;      // a socket is open; TLS or a proxy may still be at work
  bool new_tls_session = false;
  bool resolved = false;
  bool over_limit = false;  // stopped by us: too many bytes
  std::string_view detail;  // libcurl's own sentence; used for TLS only
};

Failure failure_of(const TransferFailure& failure);

// One sentence: what happened and what to do. Stable: no times and no counts, since a log line is
// written when an error is new. Never a header, never a body.
std::string sentence_of(const TransferFailure& failure);

// `GET https://host/path`: without query and user information.
std::string shown_url(std::string_view url);

}  // namespace shortcircuit
