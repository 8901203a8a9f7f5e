#include "gateway/answer.h"

#include <fmt/format.h>

#include <algorithm>

namespace doorward::gateway {
namespace {

std::string reference(std::string_view id) { return fmt::format(" [ref {}]", id); }

std::string_view reason(const sheet::GroupVerdict& verdict) {
  if (verdict.priced.stance == sheet::Stance::block) return "The recipient does not take this mail";
  switch (verdict.klass) {
    case sheet::Class::spam:
      return "This mail looks like spam";
    case sheet::Class::virus:
      return "This mail carries a virus";
    case sheet::Class::content:
      return "This mail has content that the recipient does not take";
    case sheet::Class::newsletter:
      return "The recipient takes no bulk mail";
    case sheet::Class::sanity:
      return "This mail breaks the rules of mail";
    case sheet::Class::clean:
    case sheet::Class::unsure:
      break;
  }
  return "The recipient does not take this mail";
}

}  // namespace

smtp::Reply with_reference(smtp::Reply reply, std::string_view id) {
  if (!reply.lines.empty() && reply.lines.back().find("[ref ") == std::string::npos)
    reply.lines.back() += reference(id);
  return reply;
}

smtp::Reply refusal(const sheet::GroupVerdict& verdict, std::string_view id) {
  if (verdict.disposition == sheet::Disposition::defer) {
    return with_reference(smtp::Reply(451, {4, 7, 1}, "This mail cannot be taken now; please try again later"), id);
  }
  return with_reference(
      smtp::Reply(550, {5, 7, 1},
                  fmt::format("{}. If that is a mistake, tell the recipient by another way and quote the reference",
                              reason(verdict))),
      id);
}

smtp::Reply put_off(std::chrono::minutes delay, std::string_view id) {
  return with_reference(smtp::Reply(451, {4, 7, 1},
                                    fmt::format("The recipient does not know you yet; please try again in {} minute{}",
                                                delay.count(), delay.count() == 1 ? "" : "s")),
                        id);
}

smtp::Reply accepted(std::string_view id) {
  return with_reference(smtp::Reply(250, {2, 6, 0}, "Message accepted"), id);
}

smtp::Reply loop_detected(std::string_view id) {
  return with_reference(smtp::Reply(554, {5, 4, 6}, "Mail loop: the message has passed too many servers"), id);
}

smtp::Reply internal_failure(std::string_view id) {
  return with_reference(smtp::Reply(451, {4, 3, 0}, "Something failed here; please try again later"), id);
}

smtp::Reply not_stored(std::string_view id) {
  return with_reference(smtp::Reply(451, {4, 3, 0}, "The mail could not be stored; please try again later"), id);
}

smtp::Reply closing(std::span<const smtp::Reply> replies) {
  const auto taken = std::find_if(replies.begin(), replies.end(), [](const auto& reply) { return reply.positive(); });
  if (taken != replies.end()) return smtp::Reply(250, {2, 6, 0}, "Each recipient was answered");
  return replies.empty() ? smtp::Reply(451, {4, 3, 0}, "Something failed here; please try again later")
                         : replies.front();
}

smtp::Reply combine(std::span<const smtp::Reply> replies, std::string_view id) {
  if (replies.empty()) return internal_failure(id);
  const auto same = [&](const smtp::Reply& other) { return other.code / 100 == replies.front().code / 100; };
  if (std::all_of(replies.begin() + 1, replies.end(), same)) return replies.front();
  return with_reference(smtp::Reply(451, {4, 5, 3}, "The recipients differ; please send to one at a time"), id);
}

}  // namespace doorward::gateway
