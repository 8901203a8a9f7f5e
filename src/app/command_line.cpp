#include "app/command_line.h"

namespace doorward::app {

int run(int, char**) { return 0; }

}  // namespace doorward::app
