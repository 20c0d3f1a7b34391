// Everything that depends on an address, with the network that the address lies in: what would
// break if that network went away (`depends`, shortcircuit_network_dependents).
#pragma once

#include "checks/judgement.h"

namespace shortcircuit {

// Fills `judgement.dependents` and what could not be asked.
void list_dependents(const Fleet& fleet, Judgement& judgement);

}  // namespace shortcircuit
