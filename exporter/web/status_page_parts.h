// The sections of the status page, one file each. Every function writes its section or nothing,
// when what it shows is not configured. Only status_page.cpp uses this header's sections.
#pragma once

#include <string>
#include <string_view>

#include "web/html.h"
#include "web/status_page.h"

namespace shortcircuit::page {

// How something is, in a class of the style sheet, a symbol and a word: never colour alone.
enum class Tone { good, bad, warn, unknown, off };
std::string_view class_of(Tone tone);
std::string_view symbol_of(Tone tone);

// A symbol that screen readers skip, since a word stands beside it.
void symbol(Html& html, Tone tone);
// `<span class="state good">✓ word</span>`.
void state(Html& html, Tone tone, std::string_view word);

// Opens `<section>` with its heading; the caller closes `section`.
[[nodiscard]] Html::Scope section(Html& html, std::string_view id, std::string_view title,
                                  std::string_view beside = "");
// "… and 12 more things", when there are more than were shown.
void and_more(Html& html, std::size_t all, std::size_t shown, std::string_view things);

// A table in a container that scrolls by itself, so that the page never does.
class Table {
 public:
  Table(Html& html, std::string_view caption, std::initializer_list<std::string_view> columns,
        std::string_view class_name = "");
  ~Table();
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

 private:
  Html& html_;
};

// `load balancer` for `load_balancer`.
std::string words(std::string_view name);
// `2026-11-24 15:30:00 UTC`.
std::string absolute(Time time);
// `<time datetime=…>2026-11-24 15:30:00 UTC</time> (2h 5m ago)`.
void moment(Html& html, Time time, Time now);
// `1.5 GiB`.
std::string bytes(double count);
// `office (lan)`, `old (overlay, retired)`.
std::string label_of(const Network& network);

void layers(Html& html, const Judgement& judgement);
void findings(Html& html, const Judgement& judgement);
void routes(Html& html, const Judgement& judgement);
void mesh(Html& html, const Fleet& fleet, const Judgement& judgement);
void etcd(Html& html, const Fleet& fleet);
void storage(Html& html, const Fleet& fleet);
void networks(Html& html, const Fleet& fleet, const Judgement& judgement);
void sources(Html& html, const Fleet& fleet);

std::string_view style_sheet();

}  // namespace shortcircuit::page
