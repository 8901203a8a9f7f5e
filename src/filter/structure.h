// How a mail is made: header fields, MIME, HTML, links, attachments. Well-behaved programs make few of these mistakes.
#pragma once

#include "filter/filter.h"

namespace doorward::filter {

const Filter& structure();

}  // namespace doorward::filter
