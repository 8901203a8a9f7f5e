// Word statistics (D4): what the words of a mail say about it, learnt while running. A base shared by all, and a part
// of each customer's own, in one fixed table. How it judges, and why so: docs/decisions (word statistics).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "mime/message.h"

namespace doorward::trust {

enum class Label { ham, spam };

// The features of one mail, made once and used for the base and every customer. Four families, each with a linear model
// of its own: words of the header, words of the text, runs of octets of the header, and of the text.
struct Features {
  static constexpr size_t kFamilies = 4;
  std::vector<uint64_t> hashes;              // distinct, family by family; at most kMostFeatures
  std::array<size_t, kFamilies - 1> next{};  // where the second family begins, the third and the fourth
  std::span<const uint64_t> family(size_t which) const {
    const size_t begin = which == 0 ? 0 : next[which - 1];
    const size_t end = which + 1 == kFamilies ? hashes.size() : next[which];
    return std::span(hashes).subspan(begin, end - begin);
  }
};
inline constexpr size_t kMostFeatures = 4000;
Features features_of(const mime::Message& message);
// The same into a vector that is used again.
void features_of(const mime::Message& message, Features& into);

// A feature that a person can read: a word, or two words near each other, with what was learnt of it.
struct Word {
  std::string text;  // "viagra", "click here", "subject:free"
  uint64_t hash = 0;
  uint32_t spam = 0, ham = 0;  // trained mails of each kind that had it; halved now and then
  double weight = 0;           // its share in the log-odds; positive speaks for spam
};

class WordStatistics {
 public:
  struct Options {
    size_t table_entries = 1 << 21;  // a power of two, of 8 octets each; memory is taken as it fills. A stored table
                                     // keeps the size it has.
    std::string directory{};         // where it is kept; empty: in memory only
    bool read_only = false;          // look at what is stored; another process may be learning
    size_t log = size_t{64} << 20;   // octets of changes after which the whole table is written anew
  };
  // Fails when the directory cannot be made or read, another process learns in it, or what is stored is damaged in a
  // way that a crash does not explain.
  static Result<std::unique_ptr<WordStatistics>> open(Options options);
  ~WordStatistics();  // flushes

  struct Opinion {
    double spam = 0.5;                         // probability, 0 … 1
    double log_odds = 0;                       // the same as ln(p / (1 - p)); what is compared and blended
    bool known = false;                        // enough was learnt for the opinion to be of use
    uint64_t ham_learnt = 0, spam_learnt = 0;  // by the one who was asked for: the customer, or the base
  };
  // Safe from any thread while one learns. Customer 0: the base alone. Of a customer: the base blended with its own
  // part, the more of it the more it has learnt; known when its own part is.
  Opinion judge(const Features& features, uint64_t customer) const;
  // The same for a customer when the base's opinion is at hand.
  Opinion judge(const Features& features, uint64_t customer, const Opinion& base) const;
  // One thread at a time. A customer's mail teaches the base too; customer 0 teaches the base alone.
  void learn(const Features& features, uint64_t customer, Label label);
  // What was learnt so far is durable when this returns. From the thread that learns; meant to be called every second.
  Result<void> flush();

  // The words of the mail that speak most, strongest first, at most `most`: those for spam, or those for ham. Reads the
  // mail again, so only for mails whose sheet is to name them.
  std::vector<Word> strongest(const mime::Message& message, Label label, size_t most) const;

  struct Fill {
    size_t entries = 0, used = 0;
    uint64_t evicted = 0;  // since it was opened
  };
  Fill fill() const;  // counts through the whole table

 private:
  struct State;
  explicit WordStatistics(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace doorward::trust
