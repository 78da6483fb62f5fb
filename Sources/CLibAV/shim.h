// FFmpeg for Swift: what Swift's importer cannot see because it is a macro.
#pragma once
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/error.h>

static const int SL_AVERROR_EOF = AVERROR_EOF;
static const int64_t SL_AV_NOPTS_VALUE = AV_NOPTS_VALUE;
