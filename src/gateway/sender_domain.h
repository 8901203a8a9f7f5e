// Part of the sanity phase: a sender to whom nobody could answer.
#pragma once

#include <optional>
#include <string>

#include "base/task.h"
#include "net/resolver.h"
#include "smtp/reply.h"

namespace doorward::gateway {

// Why a mail with this domain in its reverse path is not to be taken; none where mail to the domain could be delivered
// (RFC 5321 §5.1: it has MX, A or AAAA records, and no null MX). Where the DNS does not say, the reply is temporary.
// `domain`: A-labels. `core` and `resolver` must outlive the wait.
Task<std::optional<smtp::Reply>> doubt_sender_domain(net::Core& core, net::Resolver& resolver, std::string domain,
                                                     SteadyTime deadline);

}  // namespace doorward::gateway
