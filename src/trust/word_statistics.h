// Word statistics (D4): what the words of a mail say about it, learnt while running. A base shared by all, and a part
// of each customer's own, in one fixed table.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "mime/message.h"

namespace doorward::trust {

enum class Label { ham, spam };

// The features of one mail, made once and used for the base and every customer.
struct Features {
  std::vector<uint64_t> hashes;  // distinct, in order of first appearance
};
Features features_of(const mime::Message& message);

class WordStatistics {
 public:
  struct Options {
    size_t table_entries = 1 << 22;  // a power of two; memory is taken as it fills
    std::string directory;           // where it is kept; empty: in memory only
  };
  static Result<std::unique_ptr<WordStatistics>> open(Options options);
  ~WordStatistics();

  struct Opinion {
    double spam = 0.5;          // probability, 0 … 1; 0.5 where too little was learnt
    bool known = false;         // enough was learnt to say
    uint64_t ham_learnt = 0, spam_learnt = 0;
  };
  // Safe from any thread while one learns. Customer 0: the base alone.
  Opinion judge(const Features& features, uint64_t customer) const;
  // One thread at a time.
  void learn(const Features& features, uint64_t customer, Label label);
  // What was learnt so far is durable when this returns.
  Result<void> flush();

 private:
  struct State;
  explicit WordStatistics(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace doorward::trust
