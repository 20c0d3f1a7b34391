// Reads the part of a kubeconfig that says how to reach the API server of one context: server, CA,
// client certificate or token, inline or by file. Programs that print credentials (`exec`) are not
// run.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "config/problem.h"
#include "http/http.h"

namespace shortcircuit {

// `context` "" = the file's current-context. Problems have their place in the kubeconfig.
std::expected<Endpoint, std::vector<ConfigProblem>> read_kubeconfig(const std::string& path,
                                                                    const std::string& context);

}  // namespace shortcircuit
