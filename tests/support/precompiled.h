// What nearly every test includes, read once a build.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <ranges>
#include <set>
#include <span>

#include "support/catch.h"
