// Every kind of list of the API server, and the same bytes as a line of its watch; the first byte
// chooses the kind.
#include "fuzz/fuzz.h"
#include "sources/kubernetes/kinds.h"
#include "sources/kubernetes/source.h"
#include "sources/kubernetes/watch_event.h"

using namespace shortcircuit;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kubernetes::Lists lists;
  const auto all = lists.all(kubernetes::Config{});
  const fuzz::Input input = fuzz::choose(data, size, all.size());
  kubernetes::List& list = *all[input.choice];
  (void)list.read(input.body);
  const auto kept = kubernetes::reduce_for_recording(list.answer, input.body);
  // What a capture keeps must be readable like the answer itself.
  if (kept) {
    list.clear();
    const bool whole = list.read(input.body).has_value();
    list.clear();
    fuzz::must(!whole || list.read(*kept).has_value(), "a recorded list can be read");
  }
  (void)kubernetes::take_event(list, input.body);
  list.apply();
  return 0;
}
