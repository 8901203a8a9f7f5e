// What starting needed and serving does not.
#pragma once

namespace doorward::app {

// Gives the memory back that is the start's alone: freed heap, and the pages of programs and libraries that were run or
// read through. They come back from the page cache as they are needed again, some microseconds each.
void give_back_start_memory();

}  // namespace doorward::app
