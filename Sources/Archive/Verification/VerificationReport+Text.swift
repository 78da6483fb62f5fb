import JSON
import Primitives

// A report for programs and for people.

extension VerificationReport {
  /// The report as JSON; Format.md names the members.
  package var json: JSONValue {
    .members([
      "state": .string(state.rawValue), "whole": .bool(isWhole), "erased": .bool(isErased),
      "incident": header.map { .string($0.incident.value) }, "agency": header.map { .string($0.agency) },
      "encrypted": header.map { .bool($0.isEncrypted) }, "start": span.map { .string($0.start.description) },
      "end": span.map { .string($0.end.description) }, "lastLine": lastLine.map { .string($0.description) },
      "tracks": .integer(counts.tracks), "segments": .integer(counts.segments),
      "fragments": .integer(counts.fragments), "files": .integer(counts.files), "bytes": .integer(counts.bytes),
      "lines": .integer(counts.lines), "signedLines": .integer(counts.signedLines), "seals": .integer(counts.seals),
      "events": .integer(counts.events), "head": .string(Hex.encode(head.hash)),
      "keySource": .string(keySource.rawValue), "keys": .array(sealingKeys.map { .string(Hex.encode($0)) }),
      "findings": .array(findings.map(\.json)), "furtherFindings": .integer(furtherFindings),
    ])
  }

  /// One word and, if need be, a second: `sealed, whole`.
  package var verdict: String { "\(state.rawValue), \(isWhole ? "whole" : "DAMAGED")\(isErased ? ", erased" : "")" }

  /// The report in lines for a person.
  package var text: String {
    var lines = ["\(header?.incident.value ?? "archive"): \(verdict)"]
    if let span { lines.append("  recorded   \(span.start) to \(span.end)") }
    lines.append(
      "  media      \(counts.tracks) tracks, \(counts.segments) segments, \(counts.fragments) fragments, "
        + "\(counts.files) other files, \(counts.bytes) bytes")
    lines.append("  manifest   \(counts.lines) lines, \(counts.signedLines) of them signed by \(counts.seals) seals")
    lines.append("  journal    \(counts.events) events")
    for key in sealingKeys { lines.append("  key        \(Hex.encode(key)) (\(keySourceText))") }
    if counts.lines > 0 { lines.append("  last line  \(Hex.encode(head.hash))") }
    for finding in findings { lines.append("  \(finding)") }
    if furtherFindings > 0 { lines.append("  and \(furtherFindings) findings more") }
    return lines.joined(separator: "\n")
  }

  private var keySourceText: String {
    switch keySource {
    case .given: "given"
    case .archive: "the archive's own key.pub: proves that nothing changed since, not who sealed it; give --key"
    }
  }
}

extension VerificationReport.Finding: CustomStringConvertible {
  /// One line, such as `DAMAGE media/a-0001.mp4: is missing`.
  package var description: String {
    let place = path.isEmpty ? "" : " \(path)\(line.map { " line \($0)" } ?? ""):"
    return Self.printable("\(severity == .damage ? "DAMAGE" : "notice")\(place) \(text)")
  }

  /// Names of files may be anything: what a terminal would obey is not passed on.
  private static func printable(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
  }

  var json: JSONValue {
    .members([
      "severity": .string(severity.rawValue), "path": .string(path), "line": line.map { .integer($0) },
      "text": .string(text),
    ])
  }
}
