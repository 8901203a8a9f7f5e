// The program's commands, as DESIGN §5 lists them.
#pragma once

namespace doorward::app {

// The process's exit status: 0 done, 1 failed, 2 wrong usage.
int run(int argc, char** argv);

}  // namespace doorward::app
