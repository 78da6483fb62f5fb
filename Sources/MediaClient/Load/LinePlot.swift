import Foundation

/// A line plot as an SVG element that takes its colours from the page's CSS.
struct LinePlot {
  /// One line.
  struct Line {
    var name: String
    /// In the order of `x`.
    var points: [(x: Double, y: Double)]
  }

  var title: String
  var xLabel: String
  var yLabel: String
  var lines: [Line]
  /// Texts of the x axis and where they stand; numbers at regular steps when empty.
  var xMarks: [(x: Double, text: String)] = []

  private static let (width, height) = (720.0, 260.0)
  private static let (left, right, top, bottom) = (62.0, 14.0, 12.0, 40.0)

  func render() -> String {
    let xs = lines.flatMap { $0.points.map(\.x) }
    let (low, high) = (xs.min() ?? 0, max(xs.max() ?? 1, (xs.min() ?? 0) + 1e-9))
    let step = Self.step(for: lines.flatMap { $0.points.map(\.y) }.max() ?? 0)
    let top = max(step, step * ((lines.flatMap { $0.points.map(\.y) }.max() ?? 0) / step).rounded(.up))
    func x(_ value: Double) -> Double { Self.left + (value - low) / (high - low) * (Self.width - Self.left - Self.right) }
    func y(_ value: Double) -> Double { Self.height - Self.bottom - value / top * (Self.height - Self.top - Self.bottom) }
    var svg = "<figure><figcaption>\(Self.escape(title))</figcaption>\(legend)"
    svg += "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" role=\"img\" aria-label=\"\(Self.escape(title))\">"
    var tick = 0.0
    while tick <= top * 1.0001 {
      svg += "<line class=\"grid\" x1=\"\(Self.text(Self.left))\" x2=\"\(Self.text(Self.width - Self.right))\" "
      svg += "y1=\"\(Self.text(y(tick)))\" y2=\"\(Self.text(y(tick)))\"/>"
      svg += "<text x=\"\(Self.text(Self.left - 6))\" y=\"\(Self.text(y(tick) + 4))\" text-anchor=\"end\">\(Self.mark(tick))</text>"
      tick += step
    }
    for mark in xMarks.isEmpty ? Self.marks(from: low, to: high) : xMarks {
      svg += "<text x=\"\(Self.text(x(mark.x)))\" y=\"\(Self.text(Self.height - 22))\" text-anchor=\"middle\">"
      svg += "\(Self.escape(mark.text))</text>"
    }
    svg += "<text x=\"\(Self.text(Self.width / 2))\" y=\"\(Self.text(Self.height - 5))\" text-anchor=\"middle\">"
    svg += "\(Self.escape(xLabel))</text>"
    svg += "<text x=\"12\" y=\"\(Self.text(Self.height / 2))\" text-anchor=\"middle\" "
    svg += "transform=\"rotate(-90 12 \(Self.text(Self.height / 2)))\">\(Self.escape(yLabel))</text>"
    for (place, line) in lines.enumerated() {
      let points = line.points.map { "\(Self.text(x($0.x))),\(Self.text(y($0.y)))" }.joined(separator: " ")
      svg += "<polyline class=\"line line\(place % 4)\" points=\"\(points)\"/>"
    }
    return svg + "</svg></figure>"
  }

  private var legend: String {
    guard lines.count > 1 else { return "" }
    let entries = lines.enumerated().map { "<span class=\"key key\($0.offset % 4)\">\(Self.escape($0.element.name))</span>" }
    return "<p class=\"legend\">\(entries.joined(separator: " "))</p>"
  }

  /// A round step that gives four to eight marks up to `maximum`.
  static func step(for maximum: Double) -> Double {
    guard maximum > 0 else { return 1 }
    let rough = maximum / 5
    let power = pow(10, floor(log10(rough)))
    let factor = rough / power
    return power * (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10)
  }

  private static func marks(from low: Double, to high: Double) -> [(x: Double, text: String)] {
    let step = step(for: high - low)
    return stride(from: (low / step).rounded(.up) * step, through: high, by: step).map { ($0, mark($0)) }
  }

  static func mark(_ value: Double) -> String {
    switch abs(value) {
    case 1_000_000...: String(format: "%.3gM", value / 1e6)
    case 10_000...: String(format: "%.4gk", value / 1e3)
    default: String(format: "%.3g", value)
    }
  }

  private static func text(_ value: Double) -> String { String(format: "%.1f", value) }

  static func escape(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
  }
}
