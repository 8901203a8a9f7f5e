// Every key of doorward.toml: its description, and where its value goes.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "app/config.h"
#include "config/option.h"

namespace doorward::app {

template <class Struct>
struct Field {
  config::OptionInfo option;                      // named "key" or "section.key"
  std::function<std::string(const Struct&)> get;  // canonical, as config::check() gives it
  std::function<Result<void>(Struct&, const std::string& canonical)> set;
  bool needs_restart = false;
};

std::span<const Field<NodeConfig>> node_fields();
std::span<const Field<smtp::ListenerOptions>> listener_fields();  // of a [[listener]]
std::span<const Field<net::Certificate>> certificate_fields();    // of a [[certificate]]
std::span<const Field<filter::BlockList>> block_list_fields();    // of a [[list]]

}  // namespace doorward::app
