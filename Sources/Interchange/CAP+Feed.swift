import Incidents
import Primitives

extension CAP {
  package static let feedMediaType = "application/atom+xml"
  /// Incidents in a feed; of more, those that changed last are told.
  package static let maximumFeedEntries = 500

  /// An Atom feed (RFC 4287) of the incidents' alerts, newest first, each with its message inside.
  ///
  /// - Parameter path: Where the feed is served, below the base URL, with a slash at its beginning.
  package static func feed(of incidents: [Incident], path: String, context: InterchangeContext) -> String {
    let newest = incidents.sorted { ($0.changedAt, $0.id.value) > ($1.changedAt, $1.id.value) }
      .prefix(maximumFeedEntries)
    let address = context.baseURL + path
    return XMLElement(
      "feed", ["xmlns": "http://www.w3.org/2005/Atom"],
      [
        XMLElement("id", text: address), XMLElement("title", text: "Incidents of \(context.agencyName)"),
        XMLElement("updated", text: (newest.first?.changedAt ?? context.now).text(fractionDigits: 0)),
        XMLElement("author", [:], [XMLElement("name", text: context.agencyName)]),
        XMLElement("link", ["rel": "self", "type": feedMediaType, "href": address]),
      ] + newest.map { entry($0, context) }
    ).document
  }

  private static func entry(_ incident: Incident, _ context: InterchangeContext) -> XMLElement {
    let message = alert(for: incident, context: context)
    let title = "\(incident.priority.rawValue) \(incident.type ?? "Emergency")"
    return XMLElement(
      "entry", [:],
      [
        // The same for all messages of an incident, so that readers replace what they know.
        XMLElement("id", text: context.page(of: incident.id)),
        XMLElement("title", text: (incident.isExercise ? "EXERCISE: " : "") + title),
        XMLElement("updated", text: incident.changedAt.text(fractionDigits: 0)),
        XMLElement("published", text: incident.openedAt.text(fractionDigits: 0)),
        XMLElement("link", ["rel": "alternate", "type": "text/html", "href": context.page(of: incident.id)]),
        XMLElement("content", ["type": mediaType], [message.root]),
      ])
  }
}
