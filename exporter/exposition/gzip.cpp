#include "exposition/gzip.h"

#include <zlib.h>

namespace shortcircuit {

std::string gzip(std::string_view plain) {
  constexpr int gzip_window_bits = 15 + 16;  // zlib.h: 16 more for a gzip header
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, gzip_window_bits, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return "";
  }
  std::string packed(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int code = deflate(&stream, Z_FINISH);
  packed.resize(code == Z_STREAM_END ? stream.total_out : 0);
  deflateEnd(&stream);
  packed.shrink_to_fit();
  return packed;
}

}  // namespace shortcircuit
