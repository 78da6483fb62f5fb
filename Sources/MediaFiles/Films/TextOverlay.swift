import CLibAV

/// A line of text in a film.
struct TextLine: Hashable {
  var text: String
  /// Pixels from the left.
  var x: Int
  var y: Int
  /// Where the line is put in the middle of so many pixels from `x` on; nil for the left.
  var centredIn: Int?
  /// Pixels.
  var size: Int
}

/// Writes texts into pictures with FFmpeg's `drawtext`.
///
/// Texts are set as values of an option, with `expansion=none`: they are never part of a filter's description, so that
/// nothing in them can be taken for a command. Right-to-left scripts are shaped; letters that the font does not have
/// become boxes.
final class TextOverlay {
  private var graph: UnsafeMutablePointer<AVFilterGraph>?
  private var input: UnsafeMutablePointer<AVFilterContext>?
  private var output: UnsafeMutablePointer<AVFilterContext>?
  private var clock: UnsafeMutablePointer<AVFilterContext>?
  private var lines: [TextLine]?

  private static let font = "DejaVu Sans"
  /// Characters of one line.
  private static let maximumLength = 200

  deinit {
    avfilter_graph_free(&graph)
  }

  /// The picture with the texts; `clockText` changes often and must be ASCII, `newLines` seldom.
  ///
  /// Pictures are 4:2:0 with eight bits, of the canvas' size. Throws with the code `library` when FFmpeg was built without
  /// `drawtext`, or finds no font.
  func draw(_ newLines: [TextLine], clock clockText: String, on picture: FrameHandle) throws(MediaFileError)
    -> FrameHandle
  {
    if lines != newLines { try build(newLines) }
    if let clock { av_opt_set(clock.pointee.priv, "text", clockText, 0) }
    try LibAV.check(
      av_buffersrc_add_frame_flags(input, picture.pointer, Int32(AV_BUFFERSRC_FLAG_KEEP_REF)), .library,
      "write texts into a film")
    let result = try FrameHandle()
    try LibAV.check(av_buffersink_get_frame(output, result.pointer), .library, "write texts into a film")
    return result
  }

  private func build(_ newLines: [TextLine]) throws(MediaFileError) {
    avfilter_graph_free(&graph)
    lines = nil
    let made = try FilterGraph.make()
    graph = made
    input = try FilterGraph.add(
      "buffer",
      arguments:
        "width=\(FilmLayout.width):height=\(FilmLayout.height):pix_fmt=yuv420p:time_base=1/90000:pixel_aspect=1/1",
      to: made)
    // Digits that the clock will show are loaded at once.
    clock = try Self.text(TextLine(text: "0123456789-:.TZ UTC", x: 12, y: 9, centredIn: nil, size: 22), made)
    var filters = [input, clock]
    for line in newLines { filters.append(try Self.text(line, made)) }
    output = try FilterGraph.add("buffersink", arguments: "", to: made)
    filters.append(output)
    try FilterGraph.link(filters)
    try LibAV.check(avfilter_graph_config(made, nil), .library, "write texts into a film")
    lines = newLines
  }

  private static func text(
    _ line: TextLine, _ graph: UnsafeMutablePointer<AVFilterGraph>
  ) throws(MediaFileError) -> UnsafeMutablePointer<AVFilterContext> {
    let context = try FilterGraph.allocate("drawtext", in: graph)
    let options = [
      "text": clean(line.text), "expansion": "none", "font": font, "fontsize": String(line.size), "fontcolor": "white",
      "borderw": "2", "bordercolor": "black", "fix_bounds": "0",  // Letters of different height stand on one line.
      "y": "\(line.y + line.size - 2)-ascent",
      "x": line.centredIn.map { "\(line.x)+max(0,(\($0)-text_w)/2)" } ?? String(line.x),
    ]
    for (name, value) in options {
      try LibAV.check(
        av_opt_set(context.pointee.priv, name, value, 0), .library, "set \(name) of FFmpeg's drawtext")
    }
    try LibAV.check(
      avfilter_init_str(context, nil), .library,
      "write texts into a film: FFmpeg needs drawtext, fontconfig and the font \(font)")
    return context
  }

  /// One line without control characters; never empty, because `drawtext` refuses that.
  static func clean(_ text: String) -> String {
    let kept = text.unicodeScalars.prefix(maximumLength).map { scalar -> Character in
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse: " "
      default: Character(scalar)
      }
    }
    let line = String(kept)
    return line.allSatisfy(\.isWhitespace) ? " " : line
  }

  /// Breaks a text between words, into lines of at most `width` characters.
  static func wrap(_ text: String, width: Int, maximumLines: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in clean(String(text.prefix(width * maximumLines))).split(separator: " ") {
      var rest = String(word)
      if !line.isEmpty, line.count + 1 + rest.count > width {
        lines.append(line)
        line = ""
      }
      while rest.count > width {
        lines.append(String(rest.prefix(width)))
        rest = String(rest.dropFirst(width))
      }
      line += line.isEmpty ? rest : " " + rest
    }
    if !line.isEmpty { lines.append(line) }
    return Array(lines.prefix(maximumLines))
  }
}
