#include "web/status_page_parts.h"

namespace shortcircuit::page {

void mesh(Html&, const Fleet&, const Judgement&) {}

}  // namespace shortcircuit::page
