// Hints to the processor that Swift has no words for.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Has `bytes` bytes from `start` on brought into the nearest cache, a line of 64 at a time, without waiting for them.
static inline void sl_prefetch(const void *start, size_t bytes) {
  const char *end = (const char *)start + bytes;
  for (const char *line = (const char *)((uintptr_t)start & ~(uintptr_t)63); line < end; line += 64) __builtin_prefetch(line, 0, 3);
}
