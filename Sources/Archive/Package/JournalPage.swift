import Incidents
import JSON
import Primitives

/// `journal.html`: an incident's journal for people, in one file that needs nothing else, runs nothing and prints well.
///
/// It is written in pieces, so that a journal of any length needs little memory: ``beginning``, the people, the talk, then
/// every event, then ``end``.
package struct JournalPage: Sendable {
  private let incident: Incident
  private let madeAt: UTCTime

  package init(_ incident: Incident, madeAt: UTCTime) {
    self.incident = incident
    self.madeAt = madeAt
  }

  // MARK: - Pieces

  package var beginning: String {
    let facts: [(String, String?)] = [
      ("Incident", incident.id.value), ("Agency", incident.agency),
      ("Training", incident.isExercise ? "yes: an exercise" : nil), ("State", incident.state.rawValue),
      ("Priority", incident.priority.rawValue), ("Type", incident.type), ("Outcome", incident.outcome?.rawValue),
      ("Place", incident.place?.text), ("Opened", incident.openedAt.text(fractionDigits: 3)),
      ("Ended", incident.endedAt?.text(fractionDigits: 3)), ("Written", madeAt.text(fractionDigits: 0)),
    ]
    let rows = facts.compactMap { name, value in
      value.map { "<dt>\(HTMLText.escape(name))</dt><dd>\(HTMLText.escape($0))</dd>" }
    }
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>Journal of incident \(HTMLText.escape(incident.id.value))</title>
      <style>\(Self.style)</style>
      </head>
      <body>
      <h1>Journal of incident \(HTMLText.escape(incident.id.value))</h1>
      <p>All times are UTC. The clock counts from the opening of the incident, in hours, minutes and seconds.
      The same events are in <code>journal.json</code>, with the hashes that chain them.</p>
      <dl>
      \(rows.joined(separator: "\n"))
      </dl>

      """
  }

  /// Everybody who did something, with what they did it as.
  package func people(_ people: [Actor]) -> String {
    let rows = people.map { actor in
      "<tr><td>\(HTMLText.escape(actor.name))</td><td>\(HTMLText.escape(actor.role.rawValue))</td>"
        + "<td><code>\(HTMLText.escape(actor.id))</code></td></tr>\n"
    }
    return """
      <h2>People</h2>
      <table>
      <thead><tr><th scope="col">Name</th><th scope="col">Role</th><th scope="col">Identifier</th></tr></thead>
      <tbody>
      \(rows.joined())</tbody>
      </table>

      """
  }

  package var talkBeginning: String {
    """
    <h2>Chat and notes</h2>
    <table>
    <thead><tr><th scope="col">Clock</th><th scope="col">Who</th><th scope="col">For</th><th scope="col">Text</th></tr></thead>
    <tbody>

    """
  }

  /// A row of the talk; nil for an event that is no talk.
  package func talk(_ event: JournalEvent) -> String? {
    guard event.kind == EventKind.chat.rawValue || event.kind == EventKind.note.rawValue,
      let text = event.payload["text"]?.string
    else { return nil }
    let audience =
      event.kind == EventKind.note.rawValue ? "note" : event.payload["to"]?.string ?? ChatChannel.everyone.rawValue
    return "<tr><td>\(clock(event.time))</td><td>\(HTMLText.escape(event.actor.name))</td>"
      + "<td>\(HTMLText.escape(audience))</td><td class=\"text\">\(HTMLText.escape(text))</td></tr>\n"
  }

  package var eventsBeginning: String {
    """
    </tbody>
    </table>
    <h2>Everything that happened</h2>
    <table>
    <thead><tr><th scope="col">Number</th><th scope="col">Clock</th><th scope="col">Time</th><th scope="col">Who</th>\
    <th scope="col">What</th><th scope="col">Particulars</th></tr></thead>
    <tbody>

    """
  }

  package func row(_ event: JournalEvent) -> String {
    let what = EventKind(rawValue: event.kind)?.traits.note ?? "An event of a newer version."
    return "<tr><td>\(event.number)</td><td>\(clock(event.time))</td>"
      + "<td>\(event.time.text(fractionDigits: 3))</td>"
      + "<td>\(HTMLText.escape(event.actor.name)) <small>\(HTMLText.escape(event.actor.role.rawValue))</small></td>"
      + "<td>\(HTMLText.escape(what)) <small>\(HTMLText.escape(event.kind))</small></td>"
      + "<td class=\"text\">\(Self.particulars(event.payload))</td></tr>\n"
  }

  package let end = "</tbody>\n</table>\n</body>\n</html>\n"

  // MARK: - Values

  /// How far into the incident a time is, such as `0:01:02.345`.
  package func clock(_ time: UTCTime) -> String {
    let span = time.microseconds.subtractingReportingOverflow(incident.openedAt.microseconds)
    guard !span.overflow else { return "-" }
    let milliseconds = span.partialValue.magnitude / 1_000
    func digits(_ value: UInt64, _ width: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    let seconds = milliseconds / 1_000
    return (span.partialValue < 0 ? "-" : "") + "\(seconds / 3_600):\(digits(seconds / 60 % 60, 2))"
      + ":\(digits(seconds % 60, 2)).\(digits(milliseconds % 1_000, 3))"
  }

  /// Values of a payload that are shown with their names, the deepest as JSON.
  private static func particulars(_ payload: JSONValue) -> String {
    guard case .object(let members) = payload else { return HTMLText.escape(payload.canonical) }
    return members.sorted { $0.key < $1.key }.map { name, value in
      let text = value.string ?? value.canonical
      return "<b>\(HTMLText.escape(name))</b> \(HTMLText.escape(text))"
    }.joined(separator: "<br>")
  }

  private static let style = """
    body { font: 14px/1.4 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #111; \
    background: #fff }
    table { border-collapse: collapse; width: 100%; margin-bottom: 2rem }
    th, td { border: 1px solid #999; padding: .25rem .5rem; text-align: left; vertical-align: top }
    th { background: #eee }
    td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere }
    .text { white-space: pre-wrap; min-width: 12rem }
    dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem }
    dt { font-weight: bold } dd { margin: 0 } small { color: #555 }
    @media print { body { margin: 0; max-width: none; font-size: 9pt } thead { display: table-header-group } \
    tr { break-inside: avoid } h2 { break-after: avoid } }
    """
}
