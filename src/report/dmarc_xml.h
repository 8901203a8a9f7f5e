// A DMARC aggregate report as the XML document of RFC 9990, appendix A.
#pragma once

#include <string>

#include "report/dmarc_report.h"

namespace doorward::report {

inline constexpr const char* kDmarcNamespace = "urn:ietf:params:xml:ns:dmarc-2.0";

// Well-formed whatever the texts hold: characters that XML 1.0 has not (§2.2), and what is no UTF-8, become U+FFFD.
std::string to_xml(const DmarcReport& report);

}  // namespace doorward::report
