import Foundation

/// A line plot as an SVG element that takes its colours from the page's CSS.
struct LinePlot {
  /// One line.
  struct Line {
    var name: String
    /// By rising x.
    var points: [(x: Double, y: Double)]
  }

  var title: String
  var xLabel: String
  var yLabel: String
  var lines: [Line]
  /// Texts of the x axis and where they stand; numbers at regular steps when empty.
  var xMarks: [(x: Double, text: String)] = []

  func render() -> String {
    let scale = PlotScale(lines)
    let marks = xMarks.isEmpty ? scale.xMarks : xMarks
    let parts =
      scale.yMarks.map { gridLine(at: $0, scale) }
      + marks.map { text($0.text, x: scale.x($0.x), y: PlotScale.height - 22) }
      + [
        text(xLabel, x: PlotScale.width / 2, y: PlotScale.height - 5),
        "<text class=\"axis\" text-anchor=\"middle\" transform=\"translate(12 \(Self.number(PlotScale.height / 2))) "
          + "rotate(-90)\">\(Self.escape(yLabel))</text>",
      ]
      + lines.enumerated().map { polyline($0.element, place: $0.offset, scale) }
    return """
      <figure><figcaption>\(Self.escape(title))</figcaption>\(legend)
      <svg viewBox="0 0 \(Int(PlotScale.width)) \(Int(PlotScale.height))" role="img" aria-label="\(Self.escape(title))">
      \(parts.joined(separator: "\n"))
      </svg></figure>
      """
  }

  /// Colours that the page has for lines.
  private static let colours = 4

  private var legend: String {
    guard lines.count > 1 else { return "" }
    let entries = lines.enumerated().map { place, line in
      "<span class=\"key key\(place % Self.colours)\">\(Self.escape(line.name))</span>"
    }
    return "<p class=\"legend\">\(entries.joined(separator: " "))</p>"
  }

  private func gridLine(at value: Double, _ scale: PlotScale) -> String {
    let y = Self.number(scale.y(value))
    let ends = "x1=\"\(Self.number(PlotScale.left))\" x2=\"\(Self.number(PlotScale.width - PlotScale.right))\""
    return "<line class=\"grid\" \(ends) y1=\"\(y)\" y2=\"\(y)\"/>"
      + text(PlotScale.mark(value), x: PlotScale.left - 6, y: scale.y(value) + 4, anchor: "end")
  }

  private func text(_ text: String, x: Double, y: Double, anchor: String = "middle") -> String {
    "<text x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" text-anchor=\"\(anchor)\">\(Self.escape(text))</text>"
  }

  private func polyline(_ line: Line, place: Int, _ scale: PlotScale) -> String {
    let points = line.points.map { "\(Self.number(scale.x($0.x))),\(Self.number(scale.y($0.y)))" }
    return "<polyline class=\"line line\(place % Self.colours)\" points=\"\(points.joined(separator: " "))\"/>"
  }

  private static func number(_ value: Double) -> String { String(format: "%.1f", value) }

  static func escape(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
  }
}

/// Where values stand in a plot; y begins at 0.
struct PlotScale {
  static let (width, height) = (720.0, 260.0)
  static let (left, right, top, bottom) = (62.0, 14.0, 12.0, 40.0)

  private let low: Double
  private let high: Double
  private let step: Double
  /// The topmost mark.
  private let top: Double

  init(_ lines: [LinePlot.Line]) {
    let points = lines.flatMap(\.points)
    low = points.map(\.x).min() ?? 0
    // A single point still needs a width.
    high = max(points.map(\.x).max() ?? 1, low + 1e-6)
    let maximum = points.map(\.y).max() ?? 0
    step = Self.step(for: maximum)
    top = max(step, step * (maximum / step).rounded(.up))
  }

  func x(_ value: Double) -> Double { Self.left + (value - low) / (high - low) * (Self.width - Self.left - Self.right) }
  func y(_ value: Double) -> Double { Self.height - Self.bottom - value / top * (Self.height - Self.top - Self.bottom) }

  var yMarks: [Double] { (0...Int((top / step).rounded())).map { Double($0) * step } }

  var xMarks: [(x: Double, text: String)] {
    let step = Self.step(for: high - low)
    return stride(from: (low / step).rounded(.up) * step, through: high, by: step).map { ($0, Self.mark($0)) }
  }

  /// A round step, 1, 2 or 5 times a power of ten, that gives at most six marks up to `maximum`.
  static func step(for maximum: Double) -> Double {
    guard maximum > 0 else { return 1 }
    let rough = maximum / 5
    let power = pow(10, floor(log10(rough)))
    for factor in [1.0, 2, 5] where rough <= factor * power * 1.000_001 { return factor * power }
    return 10 * power
  }

  /// A short text for a value.
  static func mark(_ value: Double) -> String {
    switch abs(value) {
    case 1_000_000...: String(format: "%gM", value / 1e6)
    case 10_000...: String(format: "%gk", value / 1e3)
    default: String(format: "%g", (value * 1e6).rounded() / 1e6)
    }
  }
}
