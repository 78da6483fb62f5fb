import CLibAV

/// Turns decoded sound of any rate and any channels into stereo of 48,000 samples a second.
final class SoundConverter {
  private var graph: UnsafeMutablePointer<AVFilterGraph>?
  private var input: UnsafeMutablePointer<AVFilterContext>?
  private var output: UnsafeMutablePointer<AVFilterContext>?
  private var shape: Shape?

  /// What the graph was built for.
  private struct Shape: Equatable {
    var rate: Int32
    var format: Int32
    var channels: Int32
  }

  deinit {
    avfilter_graph_free(&graph)
  }

  /// Gives the converted samples, left and right, to `body`.
  func convert(
    _ frame: FrameHandle,
    _ body: (UnsafeMutableBufferPointer<Float>, UnsafeMutableBufferPointer<Float>) -> Void
  ) throws(MediaFileError) {
    let raw = frame.pointer.pointee
    let wanted = Shape(rate: raw.sample_rate, format: raw.format, channels: raw.ch_layout.nb_channels)
    if wanted != shape { try build(wanted) }
    try LibAV.check(
      av_buffersrc_add_frame_flags(input, frame.pointer, Int32(AV_BUFFERSRC_FLAG_KEEP_REF)), .damaged,
      "convert sound")
    while true {
      let converted = try FrameHandle()
      let result = av_buffersink_get_frame(output, converted.pointer)
      if result == SL_AVERROR_EAGAIN || result == SL_AVERROR_EOF { return }
      try LibAV.check(result, .damaged, "convert sound")
      body(converted.samples(0), converted.samples(1))
    }
  }

  private func build(_ wanted: Shape) throws(MediaFileError) {
    avfilter_graph_free(&graph)
    shape = nil
    guard wanted.rate > 0, (1...8).contains(wanted.channels),
      let name = av_get_sample_fmt_name(AVSampleFormat(wanted.format))
    else { throw MediaFileError(.damaged, "Sound of an unknown kind cannot be converted.") }
    let made = try FilterGraph.make()
    graph = made
    // Numbers and names of FFmpeg's own: nothing in here is foreign text.
    let source =
      "sample_rate=\(wanted.rate):sample_fmt=\(String(cString: name))"
      + ":channel_layout=\(wanted.channels)c:time_base=1/\(wanted.rate)"
    input = try FilterGraph.add("abuffer", arguments: source, to: made)
    let format = try FilterGraph.add(
      "aformat", arguments: "sample_fmts=fltp:sample_rates=\(Encoder.sampleRate):channel_layouts=stereo", to: made)
    output = try FilterGraph.add("abuffersink", arguments: "", to: made)
    try FilterGraph.link([input, format, output])
    try LibAV.check(avfilter_graph_config(made, nil), .library, "convert sound")
    shape = wanted
  }
}

/// What both graphs of this module are made with.
enum FilterGraph {
  static func make() throws(MediaFileError) -> UnsafeMutablePointer<AVFilterGraph> {
    LibAV.prepare()
    guard let graph = avfilter_graph_alloc() else { throw LibAV.outOfMemory() }
    graph.pointee.nb_threads = 1
    return graph
  }

  /// A filter that is not initialised yet, so that options can be set one by one.
  static func allocate(
    _ name: String, in graph: UnsafeMutablePointer<AVFilterGraph>
  ) throws(MediaFileError) -> UnsafeMutablePointer<AVFilterContext> {
    guard let filter = avfilter_get_by_name(name) else {
      throw MediaFileError(.library, "This FFmpeg has no filter \(name).")
    }
    guard let context = avfilter_graph_alloc_filter(graph, filter, nil) else { throw LibAV.outOfMemory() }
    return context
  }

  static func add(
    _ name: String, arguments: String, to graph: UnsafeMutablePointer<AVFilterGraph>
  ) throws(MediaFileError) -> UnsafeMutablePointer<AVFilterContext> {
    let context = try allocate(name, in: graph)
    try LibAV.check(avfilter_init_str(context, arguments), .library, "prepare the filter \(name)")
    return context
  }

  /// Connects filters in a row.
  static func link(_ filters: [UnsafeMutablePointer<AVFilterContext>?]) throws(MediaFileError) {
    for (from, to) in zip(filters, filters.dropFirst()) {
      try LibAV.check(avfilter_link(from, 0, to, 0), .library, "connect filters")
    }
  }
}
