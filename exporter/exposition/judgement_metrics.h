// The metrics that come from judgement: findings, layers, routes, webhooks, dependents.
#pragma once

#include <span>

#include "checks/judgement.h"
#include "exposition/metric_set.h"

namespace shortcircuit {

void describe_judgement(const Fleet& fleet, const Judgement& judgement, MetricSet& metrics);
std::span<const MetricDefinition> judgement_metric_definitions();

}  // namespace shortcircuit
