// One SMTP session as the gateway sees it: each phase asks what its data allows, and the last one answers.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "delivery/proxy.h"
#include "gateway/gateway.h"
#include "gateway/recipient.h"
#include "smtp/handler.h"

namespace doorward::gateway {

class Session final : public smtp::Handler {
 public:
  Session(Gateway& gateway, net::Core& core) : gateway_(gateway), core_(core) {}

  Task<smtp::Reply> connected(const mail::Client& client) override;
  Task<smtp::Reply> hello(const mail::Client& client) override;
  Task<smtp::Reply> mail(const mail::Client& client, const mail::Envelope& envelope) override;
  Task<smtp::Reply> rcpt(const mail::Client& client, const mail::Envelope& envelope,
                         const mail::Recipient& recipient) override;
  uint64_t size_limit() const override;
  Task<std::vector<smtp::Reply>> data(const mail::Client& client, const mail::Envelope& envelope,
                                      mail::Content content) override;
  Task<void> reset() override;
  Task<void> closed() override;

 private:
  // What lives from MAIL to the last reply.
  struct Transaction {
    std::shared_ptr<const policy::Snapshot> snapshot;  // pinned: a reload changes nothing in between
    std::vector<Taken> taken;                          // as the server's envelope has them, in order
    std::shared_ptr<const policy::Backend> backend;    // the proxy's
    std::unique_ptr<delivery::ProxyTransaction> proxy;
    // Of the sender's domain, once a recipient wanted to know: none where nothing speaks against it.
    std::optional<std::optional<smtp::Reply>> sender_doubt;
    // For the answer about that; it is one deadline for all questions about a mail.
    std::optional<std::chrono::steady_clock::duration> waited_for_names;
    std::vector<size_t> leaders;  // of those, the first of each group
    sheet::ScoreSheet refused;    // of recipients that were refused: what their reference shows
  };
  struct Judged;

  smtp::Reply refuse(const mail::Envelope& envelope, const mail::Mailbox& recipient, smtp::Reply reply);
  void store(sheet::ScoreSheet sheet);

  Task<std::optional<smtp::Reply>> doubt_sender(const mail::Client& client, const mail::Envelope& envelope,
                                                const Taken& taken);
  Task<smtp::Reply> ask_backend(const mail::Client& client, const mail::Envelope& envelope, const Taken& taken);
  Task<smtp::Reply> verify(const mail::Envelope& envelope, const Taken& taken);
  Task<bool> judge(Judged& judged);
  bool is_ours(std::string_view name) const;
  Task<bool> run(bool aside, std::move_only_function<void()> work);
  Task<std::vector<sheet::Lookup>> ask(Judged& judged, bool names);
  Task<bool> consult(Judged& judged, std::vector<sheet::Lookup>& lookups);
  Task<bool> authenticate(Judged& judged, net::LookupLog& log, SteadyTime last);
  void refuse_loop(Judged& judged, std::vector<smtp::Reply>& replies);
  static void note_replies(Judged& judged, std::span<const smtp::Reply> replies);
  void put_aside(Judged& judged, size_t group);
  mime::Edits edits(const Judged& judged, size_t group);
  Task<void> answer_group(Judged& judged, size_t group, std::vector<smtp::Reply>& replies);
  Task<void> hand_over(Judged& judged, size_t group, std::vector<smtp::Reply>& replies);
  Task<void> keep(Judged& judged, std::vector<smtp::Reply>& replies);
  void look_back(Judged& judged);
  void teach(const Judged& judged);
  void remember(const Judged& judged);
  void greylist(Judged& judged);
  void record(const Judged& judged);

  Gateway& gateway_;
  net::Core& core_;
  std::optional<Transaction> transaction_;
};

}  // namespace doorward::gateway
