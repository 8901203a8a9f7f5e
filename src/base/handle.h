// Handle<SSL_CTX, SSL_CTX_free>: what a C library gives out, released when it goes out of scope.
#pragma once

#include <memory>

namespace doorward {

template <auto Free>
struct Releaser {
  template <class T>
  void operator()(T* held) const {
    if (held != nullptr) Free(held);
  }
};

template <class T, auto Free>
using Handle = std::unique_ptr<T, Releaser<Free>>;

}  // namespace doorward
