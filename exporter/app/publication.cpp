#include "app/publication.h"

#include "exposition/describe.h"
#include "exposition/gzip.h"

namespace shortcircuit {

Publication::Publication(std::shared_ptr<const Config> config_, Snapshot snapshot_, Ledger& ledger,
                         const ReloadState& reload)
    : config(std::move(config_)),
      snapshot(std::move(snapshot_)),
      fleet(*config, snapshot),
      judgement(judge(fleet)) {
  ledger.apply(judgement);
  metrics_text =
      std::make_shared<const std::string>(render_text(describe_all(fleet, judgement, reload)));
  metrics_gzip = std::make_shared<const std::string>(gzip(*metrics_text));
}

}  // namespace shortcircuit
