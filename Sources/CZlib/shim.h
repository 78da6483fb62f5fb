#pragma once
#include <zlib.h>

// deflateInit2 is a macro, which Swift does not see. 16 more than the window's bits asks for a gzip header (RFC 1952).
static inline int sl_gzip_start(z_stream *stream, int level) {
  return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
}
