// FFmpeg for Swift: what Swift's importer cannot see because it is a macro.
#pragma once
#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/error.h>
#include <libavutil/imgutils.h>
#include <libavutil/log.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>

static const int SL_AVERROR_EOF = AVERROR_EOF;
static const int SL_AVERROR_EAGAIN = AVERROR(EAGAIN);
static const int SL_AVERROR_EIO = AVERROR(EIO);
static const int SL_AVERROR_ENOMEM = AVERROR(ENOMEM);
static const int SL_AVERROR_EINVAL = AVERROR(EINVAL);
static const int SL_AVERROR_INVALIDDATA = AVERROR_INVALIDDATA;
static const int64_t SL_AV_NOPTS_VALUE = AV_NOPTS_VALUE;
static const int SL_AV_INPUT_BUFFER_PADDING_SIZE = AV_INPUT_BUFFER_PADDING_SIZE;
