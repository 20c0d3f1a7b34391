// Owners of libcurl's handles. Private to http/.
//
// Rule of libcurl: an easy handle is taken out of its multi handle before either is freed; the
// code that adds it also removes it.
#pragma once

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>

#include "base/time.h"

namespace shortcircuit {

struct EasyDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct MultiDeleter {
  void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
};
struct UrlDeleter {
  void operator()(CURLU* handle) const { curl_url_cleanup(handle); }
};
using EasyHandle = std::unique_ptr<CURL, EasyDeleter>;
using MultiHandle = std::unique_ptr<CURLM, MultiDeleter>;
using UrlHandle = std::unique_ptr<CURLU, UrlDeleter>;

// A linked list of strings, as several options want it. It must outlive the transfer.
class StringList {
 public:
  StringList() = default;
  ~StringList() { curl_slist_free_all(list_); }
  StringList(const StringList&) = delete;
  StringList& operator=(const StringList&) = delete;
  void add(const std::string& text) {
    curl_slist* const longer = curl_slist_append(list_, text.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    list_ = longer;
  }
  [[nodiscard]] curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

// Sets options and keeps the first refusal, so that a list of options reads as one.
class OptionSetter {
 public:
  explicit OptionSetter(CURL* handle) : handle_(handle) {}
  template <class Value>
  void set(CURLoption option, Value value) {
    const CURLcode code = curl_easy_setopt(handle_, option, value);
    if (first_failure_ == CURLE_OK) first_failure_ = code;
  }
  void set(CURLoption option, const std::string& value) { set(option, value.c_str()); }
  // The bytes are copied.
  void set_blob(CURLoption option, const std::string& value) {
    curl_blob blob{const_cast<char*>(value.data()), value.size(), CURL_BLOB_COPY};
    set(option, &blob);
  }
  [[nodiscard]] CURLcode first_failure() const { return first_failure_; }

 private:
  CURL* handle_;
  CURLcode first_failure_ = CURLE_OK;
};

// For libcurl 0 means "no limit", so a rest of a millisecond is rounded up.
inline long curl_ms(Duration duration) {
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return static_cast<long>(std::clamp<decltype(ms)>(ms, 1, 86'400'000));
}

}  // namespace shortcircuit
