// The one place that includes Catch2, so that a later move to another version is one file.
#pragma once
#include <catch2/catch.hpp>
