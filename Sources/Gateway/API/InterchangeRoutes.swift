import ControlRoom
import HTTPTypes
import Hummingbird
import Incidents
import Interchange
import JSON
import NIOCore
import Primitives

/// Incidents for other systems: EIDO, PIDF-LO, CAP and CoT out, network locations (AML) in.
enum InterchangeRoutes {
  private static let tag = "interchange"

  private static let aml = Schema.object([
    .required("from", .string(3...20), "The number that the message came from."),
    .required("text", .string(1...2_000), "The message: A\"ML=1;lt=…"),
  ])

  static var routes: [APIRoute] { documents + feeds + networkLocations }

  // MARK: - Out

  private static var documents: [APIRoute] {
    [
      APIRoute(
        .get, "/EIDO/:incident", .incident(.export), tag: tag, "The incident as an EIDO (NENA-STA-021.1).",
        success: (200, EIDO.mediaType)
      ) { call in
        let incident = try call.incident()
        let document = EIDO.document(
          for: incident, context: call.services.interchange(base: call.base),
          notes: try await call.room.notes(of: incident.id))
        return .text(document.canonical, type: EIDO.mediaType)
      },
      APIRoute(
        .get, "/api/v1/incidents/:incident/location.pidf", .incident(.export), tag: tag,
        "Where the incident is, as PIDF-LO (RFC 4119, 5491, 7459).", success: (200, PIDFLO.mediaType)
      ) { call in
        let context = call.services.interchange(base: call.base)
        guard let document = PIDFLO.document(for: try call.incident(), context: context) else {
          throw Problem(.notFound, "Nobody knows yet where this incident is.")
        }
        return .text(document, type: PIDFLO.mediaType)
      },
      APIRoute(
        .get, "/api/v1/incidents/:incident/cap.xml", .incident(.export), tag: tag, "The incident as a CAP 1.2 alert.",
        success: (200, CAP.mediaType)
      ) { call in
        let alert = CAP.alert(for: try call.incident(), context: call.services.interchange(base: call.base))
        return .text(alert.xml, type: CAP.mediaType)
      },
      APIRoute(
        .get, "/api/v1/incidents/:incident/cot.xml", .incident(.export), tag: tag,
        "The incident, its callers and units as CoT events in one document.", success: (200, CoT.mediaType)
      ) { call in
        let events = CoT.events(for: try call.incident(), context: call.services.interchange(base: call.base))
        return .text(bundle(events), type: CoT.mediaType)
      },
    ]
  }

  private static var feeds: [APIRoute] {
    [
      APIRoute(
        .get, "/api/v1/feeds/cap", .anyone, tag: tag, "The open incidents that one may export, as an Atom feed of CAP.",
        success: (200, CAP.feedMediaType)
      ) { call in
        let incidents = try call.room.openIncidents(for: call.principal(), whoMay: .export)
        let context = call.services.interchange(base: call.base)
        return .text(CAP.feed(of: incidents, path: "/api/v1/feeds/cap", context: context), type: CAP.feedMediaType)
      },
      APIRoute(
        .get, "/api/v1/feeds/cot", .anyone, tag: tag, "The open incidents that one may export, as CoT events.",
        success: (200, CoT.mediaType)
      ) { call in
        let incidents = try call.room.openIncidents(for: call.principal(), whoMay: .export)
        let context = call.services.interchange(base: call.base)
        return .text(bundle(incidents.flatMap { CoT.events(for: $0, context: context) }), type: CoT.mediaType)
      },
    ]
  }

  /// Several events in one document; each is complete by itself, without an XML declaration.
  private static func bundle(_ events: [CoT.Event]) -> String {
    let bodies = events.map { event in
      event.xml.hasPrefix("<?xml") ? event.xml.drop { $0 != ">" }.dropFirst().drop { $0.isNewline } : event.xml[...]
    }
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<events>\(bodies.joined())</events>\n"
  }

  // MARK: - In

  private static var networkLocations: [APIRoute] {
    [
      APIRoute(
        .post, "/api/v1/aml", .service(.reportNetworkLocation), tag: tag,
        "A location from the network by HTTPS (AML): form fields or JSON, all optional; always answered with 200.",
        body: .raw(["application/x-www-form-urlencoded", "application/json"])
      ) { call in
        let text = try await call.request.text(upTo: AMLReport.maximumBytes)
        let report: AMLReport
        if call.request.mediaType == "application/json" {
          guard let value = try? JSONValue(parsing: text) else {
            throw Problem(.badRequest, "The body is no JSON. Send a JSON object, or form fields.")
          }
          report = AMLReport(json: value)
        } else {
          report = AMLReport(form: Array(text.utf8))
        }
        return try await answer(report, call)
      },
      APIRoute(
        .post, "/api/v1/aml/sms", .service(.reportNetworkLocation), tag: tag,
        "A location from the network by SMS (AML), passed on by an SMS gateway.", body: .json(aml)
      ) { call in
        try await answer(
          AMLReport(sms: call.body["text"]?.string ?? "", sender: call.body["from"]?.string), call)
      },
    ]
  }

  private static func answer(_ report: AMLReport, _ call: APICall) async throws -> Response {
    let matched = try await call.services.networkLocations.take(report, by: call.principal())
    return .json([
      "matched": .integer(matched), "problems": .array(report.problems.map { .string($0) }),
    ])
  }
}

extension GatewayServices {
  /// What interchange documents say about this service.
  func interchange(base: String) -> InterchangeContext {
    let host = base.split(separator: "/").last.map { $0.split(separator: ":").first ?? $0 } ?? "localhost"
    return InterchangeContext(
      baseURL: base, agencyID: agency.domain ?? "\(agency.name).\(host)", agencyName: agency.name,
      elementID: "sightline.\(host)", now: UTCTime(seconds: clock.wall().seconds))
  }
}
