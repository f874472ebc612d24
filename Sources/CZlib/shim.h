/// What of zlib's interface Swift cannot see: functions that are macros.
#pragma once

#include <zlib.h>

/// Prepares for gzip members (RFC 1952) alone, with the largest window.
static inline int czlib_inflate_init_gzip(z_stream *stream) { return inflateInit2(stream, 16 + MAX_WBITS); }

/// Prepares for zlib streams (RFC 1950).
static inline int czlib_inflate_init(z_stream *stream) { return inflateInit(stream); }
