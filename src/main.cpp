#include "app/command_line.h"

int main(int argc, char** argv) { return doorward::app::run(argc, argv); }
