// Our options in libunbound's words.
#pragma once

#include "base/error.h"
#include "net/resolver.h"

struct ub_ctx;

namespace doorward::net {

// Precondition: nothing was asked of `context` yet. Afterwards nothing can be set any more.
Result<void> set_unbound_options(ub_ctx* context, const ResolverOptions& options);

}  // namespace doorward::net
