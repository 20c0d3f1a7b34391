// `check`, `depends` and `capture`: one look at everything, then an exit code
// (0 nothing found, 1 findings, 2 could not look).
#pragma once

#include "app/options.h"

namespace shortcircuit {

int check(const Options& options);
int depends(const Options& options);
int capture(const Options& options);

}  // namespace shortcircuit
