// The bytes of one message as they came: appended while they are received, immutable and contiguous after that. Small
// ones stay in memory, large ones go to an unlinked file that is mapped when the message is complete.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace doorward::mail {

class Content {
 public:
  // Beyond `spill_at` bytes the content goes to an unlinked file in `directory`.
  explicit Content(size_t spill_at = 1 << 20, std::string directory = "/var/tmp");
  // A complete one, from bytes at hand.
  static Content of(std::string bytes);
  ~Content();
  Content(Content&&) noexcept;
  Content& operator=(Content&&) noexcept;

  // False when the disk is full or fails; what came before is then of no use.
  [[nodiscard]] bool append(std::string_view bytes);
  // Memory is short: what is held in it goes to the file now. False as append().
  [[nodiscard]] bool spill();
  // No more will come. False when the file could not be mapped.
  [[nodiscard]] bool finish();

  size_t size() const;
  size_t in_memory() const;        // bytes held in memory: what counts against the budget
  std::string_view bytes() const;  // after finish(); valid as long as this object is

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace doorward::mail
