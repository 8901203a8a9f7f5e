// The load generator's command line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace doorward::bench {

struct Options {
  uint16_t port = 25;       // on 127.0.0.1
  std::string mails;        // a folder or an index file
  std::string ready;        // a file of sign_mails instead: each mail is sent once, as it is
  size_t count = 1000;      // mails to send
  size_t connections = 30;  // at a time
  size_t idle = 0;          // further connections that say EHLO and then nothing
  size_t sources = 1;       // addresses to come from: 127.1.0.1 …; 1: the ordinary one
  size_t seconds = 600;     // the most it may take; with idle connections: how long they stand
  std::string domain = "bench.example";
  size_t rate = 0;  // mails a second that are begun, while connections are free; 0: as fast as they are answered
  std::string acknowledged;  // a file that gets the token of each mail that was answered with 250, a line each
  std::string token;         // part of every mail's names; default: drawn from the clock
  bool xclient = false;      // claim addresses of 198.18.0.0/24 where XCLIENT is offered
  bool no_pipelining = false;
};

// Throws std::runtime_error for what it does not know; prints the list and ends for --help.
Options parse_options(int argc, char** argv);

}  // namespace doorward::bench
