#include "web/html.h"

namespace shortcircuit {
namespace {

void escape(std::string_view text, std::string& out) {
  for (const char character : text) {
    switch (character) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      case '\n':
      case '\t': out += character; break;
      default: {
        const auto byte = static_cast<unsigned char>(character);
        if (byte < 0x20 || byte == 0x7f) {
          out += "\uFFFD";
        } else {
          out += character;
        }
      }
    }
  }
}

}  // namespace

Html& Html::open(std::string_view tag, HtmlAttributes attributes) {
  out_ += '<';
  out_ += tag;
  for (const HtmlAttribute& attribute : attributes) {
    if (attribute.value.empty() && attribute.name != "alt") continue;
    out_ += ' ';
    out_ += attribute.name;
    out_ += "=\"";
    escape(attribute.value, out_);
    out_ += '"';
  }
  out_ += '>';
  return *this;
}

Html& Html::close(std::string_view tag) {
  out_ += "</";
  out_ += tag;
  out_ += '>';
  return *this;
}

Html& Html::element(std::string_view tag, HtmlAttributes attributes, std::string_view content) {
  return open(tag, attributes).text(content).close(tag);
}

Html& Html::text(std::string_view content) {
  escape(content, out_);
  return *this;
}

Html& Html::raw(std::string_view markup) {
  out_ += markup;
  return *this;
}

std::string shortened(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
  return std::string(text.substr(0, most)) + "…";
}

}  // namespace shortcircuit
