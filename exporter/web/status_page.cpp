#include "web/status_page.h"
namespace shortcircuit { std::string status_page(const Fleet&, const Judgement&, const StatusPageContext&) { return ""; } }
