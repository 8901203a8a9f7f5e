// What reporters say of mails, weighed (D6): by each band of a text and each attachment, how much weight said spam, not
// spam or malicious of late. A reporter counts once a day for each of them and each thing it says, however often it
// says it and in however many variants: that is what a liar's weight is bounded by.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "trust/fingerprint.h"
#include "trust/kept.h"

namespace doorward::centre {

enum class Voice : uint8_t { filters, user_spam, not_spam, malicious };
inline constexpr size_t kVoices = 4;

// What was said of one text, or of one file.
struct Said {
  std::array<double, kVoices> weight{};  // of all who said it: today's whole, the days before by halves
  double reporters = 0;                  // that said anything bad today or lately, about; at most 44
  SystemTime since{};                    // first said, to the minute; meaningless where nothing was
  double of(Voice voice) const { return weight[static_cast<size_t>(voice)]; }
  bool any() const;
};

class Verdicts {
 public:
  struct Options {
    size_t entries = size_t{1} << 20;  // of 24 octets; a mail takes ten for its text and one an attachment
    std::string directory{};           // where it is kept; empty: in memory only
  };
  static Result<std::unique_ptr<Verdicts>> open(Options options);
  ~Verdicts();  // flushes

  // Of the text and the worst of the attachments. Structure and images are not asked about: they are what honest mail
  // and its forgeries share. Safe from any thread while one votes.
  struct Found {
    Said text, attachment;
  };
  Found look_up(const trust::Fingerprint& print, SystemTime now) const;

  // All below: one thread at a time.
  // `reporter`: a number of his own; `weight`: from 0 to 1.
  void vote(const trust::Fingerprint& print, Voice voice, uint64_t reporter, double weight, SystemTime now);
  Result<void> flush();  // what was said so far is durable when this returns
  trust::Kept::Fill fill() const;

 private:
  struct State;
  explicit Verdicts(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace doorward::centre
