// Whether this is a build with a sanitizer, which keeps what was freed: memory says nothing then.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SHORTCIRCUIT_SANITIZED true
#elif defined(__has_feature)
#define SHORTCIRCUIT_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SHORTCIRCUIT_SANITIZED false
#endif

namespace shortcircuit::testing {
constexpr bool sanitized = SHORTCIRCUIT_SANITIZED;
}  // namespace shortcircuit::testing
