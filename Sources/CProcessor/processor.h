// Hints to the processor that Swift has no words for.
#pragma once
#include <stddef.h>

// Has `bytes` bytes from `start` on brought into the nearest cache, a line of 64 at a time, without waiting for them.
static inline void sl_prefetch(const void *start, size_t bytes) {
  for (size_t offset = 0; offset < bytes; offset += 64) __builtin_prefetch((const char *)start + offset, 0, 3);
}
