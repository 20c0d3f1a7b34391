// One line of a watch, and what becomes of the list that it follows.
//
// A line is `{"type":"ADDED|MODIFIED|DELETED|BOOKMARK|ERROR","object":{…}}`. A bookmark moves the
// list's version only. Changes wait for List::apply().
// Errors mean that the list no longer knows what it lacks: list it anew. An ERROR event is
// Failure::status with the code that it carries (410: the version was too old); a line that is no
// event is syntax or schema.
#pragma once

#include <string_view>

#include "sources/kubernetes/lists.h"

namespace shortcircuit::kubernetes {

Result<void> take_event(List& list, std::string_view line);

}  // namespace shortcircuit::kubernetes
