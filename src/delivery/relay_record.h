// What the relay leaves behind for people: log lines that follow one mail to each recipient's end, and figures.
#pragma once

#include <vector>

#include "delivery/relay_attempt.h"

namespace doorward::delivery {

// The first attempt of a job begins: how long it waited, by the mail's size class.
void record_begin(const spool::Job& job, SystemTime now);
// mail.delivered, mail.deferred, mail.failed, mail.rerouted, mail.stranded; relay.stranded says what to do.
void record_end(const spool::Job& job, const std::vector<Answered>& answers, SystemTime now);
void record_queue(const spool::Figures& figures, size_t running, SystemTime now);

}  // namespace doorward::delivery
