#include "base/version.h"

#include <cstdio>
#include <string>

int main() {
  std::puts(std::string(shortcircuit::version()).c_str());
  return 0;
}
