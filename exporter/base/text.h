// Small helpers for text and files that several modules share. Pure functions but for the files.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace shortcircuit {

std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);
std::string to_lower(std::string_view text);

// Each byte that is not part of valid UTF-8 (RFC 3629) becomes U+FFFD.
void replace_invalid_utf8(std::string& text);

// "a, b and 3 more": at most `most` of them, for messages.
std::string enumerate(const std::vector<std::string>& parts, std::size_t most = 4);
// "1 node", "3 nodes".
std::string count_of(std::size_t count, std::string_view singular);

// The candidate with the smallest edit distance to `word`, if it is near enough to be a slip.
std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates);

// A URL without the slashes at its end, to which a path is added.
std::string without_slash(std::string url);
// A URL without user information, for messages and recordings: `http://user:pw@host/x` becomes
// `http://host/x`. Text that is no URL comes back as it is.
std::string without_userinfo(std::string_view url);
// The same for every URL in a text.
std::string without_userinfos(std::string_view text);

// The whole file; Failure::internal with path and reason when it cannot be read.
Result<std::string> read_file(const std::string& path);
// Creates missing directories on the way.
Result<void> write_file(const std::string& path, std::string_view content);

std::optional<std::string> base64_decode(std::string_view text);
std::string base64_encode(std::string_view bytes);

}  // namespace shortcircuit
