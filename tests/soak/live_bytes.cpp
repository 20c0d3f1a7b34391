#include "soak/live_bytes.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> live = 0;

// In front of every block: its size. As large as the strictest alignment.
struct alignas(std::max_align_t) Size {
  std::size_t bytes;
};

}  // namespace

namespace shortcircuit::soak {

std::size_t live_bytes() { return live; }

}  // namespace shortcircuit::soak

void* operator new(std::size_t bytes) {
  auto* const size = static_cast<Size*>(std::malloc(sizeof(Size) + bytes));
  if (size == nullptr) throw std::bad_alloc();
  size->bytes = bytes;
  live += bytes;
  return size + 1;
}

void operator delete(void* block) noexcept {
  if (block == nullptr) return;
  auto* const size = static_cast<Size*>(block) - 1;
  live -= size->bytes;
  std::free(size);
}

void operator delete(void* block, std::size_t) noexcept { operator delete(block); }
