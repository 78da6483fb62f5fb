import Foundation

/// A load run as one HTML page that needs nothing else: the table, and plots over time.
package enum LoadReport {
  package static func render(_ result: LoadResult) -> String {
    let title = "\(result.target): \(result.callers) × \(result.viewersPerCaller)"
    let rows = LoadTable.rows(result).map { label, value in
      "<tr><th scope=\"row\">\(LinePlot.escape(label))</th><td>\(LinePlot.escape(value))</td></tr>"
    }
    let warnings = (result.warnings + result.sessions.failures).map { "<li>\(LinePlot.escape($0))</li>" }
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(LinePlot.escape(title))</title>
      <style>
      \(style)
      </style>
      </head>
      <body>
      <h1>\(LinePlot.escape(title))</h1>
      <p>\(LoadTable.number(result.seconds, 1)) s measured once everyone was there; plots show set-up as well.</p>
      <table>
      \(rows.joined(separator: "\n"))
      </table>
      \(warnings.isEmpty ? "" : "<ul class=\"warnings\">\n\(warnings.joined(separator: "\n"))\n</ul>")
      \(plots(result).map { $0.render() }.joined(separator: "\n"))
      </body>
      </html>

      """
  }

  private static func plots(_ result: LoadResult) -> [LinePlot] {
    func line(_ name: String, _ value: (LoadSample) -> Double) -> LinePlot.Line {
      LinePlot.Line(name: name, points: result.series.map { ($0.seconds, value($0)) })
    }
    var load = [line("load generator") { $0.generatorPercent }]
    if result.server != nil { load.insert(line("server") { $0.serverPercent ?? 0 }, at: 0) }
    return [
      LinePlot(
        title: "Packets received by all viewers", xLabel: "seconds", yLabel: "packets/s",
        lines: [line("packets/s", \.packetsPerSecond)]),
      LinePlot(
        title: "Forwarding delay", xLabel: "seconds", yLabel: "ms", lines: [line("p50", \.p50), line("p99", \.p99)]),
      LinePlot(
        title: "Packets missing at the end of each second", xLabel: "seconds", yLabel: "packets",
        lines: [line("missing") { Double($0.missing) }]),
      LinePlot(title: "Processor time", xLabel: "seconds", yLabel: "% of a core", lines: load),
      distribution(result.delay),
    ]
  }

  /// Each step to the right is ten times rarer: the shape of the tail shows.
  private static func distribution(_ delay: LoadResult.DelayFigures) -> LinePlot {
    func place(_ percentile: Double) -> Double { -log10(1 - percentile / 100) }
    let marks: [(Double, String)] = [0, 50, 90, 99, 99.9, 99.99].map { (place($0), "\(PlotScale.mark($0)) %") }
    return LinePlot(
      title: "Forwarding delay by percentile", xLabel: "share of packets within", yLabel: "ms",
      lines: [
        LinePlot.Line(name: "delay", points: delay.distribution.map { (place($0.percentile), $0.milliseconds) })
      ],
      xMarks: marks.map { (x: $0.0, text: $0.1) })
  }

  private static let style = """
    :root { color-scheme: light dark; --ink: #1d2126; --paper: #fbfbfa; --rule: #d5d8dc; --soft: #5c6670;
      --c0: #1f6fb2; --c1: #c2571a; --c2: #3c8a4d; --c3: #7b57a8; }
    @media (prefers-color-scheme: dark) {
      :root { --ink: #e6e8ea; --paper: #16191c; --rule: #363c43; --soft: #9aa4ae;
        --c0: #6fb1e6; --c1: #ef9660; --c2: #7cc48c; --c3: #b69be0; } }
    body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 760px;
      margin: 2rem auto; padding: 0 1rem; }
    h1 { font-size: 1.3rem; }
    table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
    th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--rule); }
    th { font-weight: 500; color: var(--soft); white-space: nowrap; }
    .warnings { color: var(--c1); }
    figure { margin: 1.6rem 0; }
    figcaption { font-weight: 600; }
    .legend { margin: .2rem 0; }
    .key::before { content: "— "; font-weight: 700; }
    .key { margin-right: 1rem; } .key0 { color: var(--c0); } .key1 { color: var(--c1); }
    .key2 { color: var(--c2); } .key3 { color: var(--c3); }
    svg { width: 100%; height: auto; }
    svg text { fill: var(--soft); font-size: 11px; font-family: inherit; }
    .grid { stroke: var(--rule); stroke-width: 1; }
    .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
    .line0 { stroke: var(--c0); } .line1 { stroke: var(--c1); } .line2 { stroke: var(--c2); } .line3 { stroke: var(--c3); }
    """
}
