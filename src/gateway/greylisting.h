// Greylisting (B7): a mail that is not refused, but not trusted either, is put off once; who comes again after the
// delay is known from then on. Never for senders with trust, for our own networks, or where only observed.
#pragma once

#include <chrono>
#include <optional>

#include "gateway/judge.h"
#include "gateway/learner.h"
#include "sheet/sheet.h"
#include "trust/greylist.h"

namespace doorward::gateway {

// Why a group's mail may have to wait, and for how long.
std::optional<std::chrono::minutes> greylisting_delay(const Mail& mail, const Group& group,
                                                      const sheet::GroupVerdict& verdict,
                                                      const sheet::Findings& findings, SystemTime now);

// Whether it has to wait indeed: unknown, or come again too early. What is found out is noted.
bool is_put_off(const trust::Greylist& greylist, Learner& learner, const Mail& mail, const Group& group,
                std::chrono::minutes delay, SystemTime now);

}  // namespace doorward::gateway
