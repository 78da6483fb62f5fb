import Archive
import ControlRoom
import HTTPTypes
import Hummingbird
import Incidents
import JSON
import Primitives

/// Evidence packages: asked for with a reason, agreed to by a second person, made in the background, fetched by ranges.
enum ExportRoutes {
  private static let tag = "exports"
  private static let all = "/api/v1/incidents/:incident/exports"
  private static let one = "/api/v1/incidents/:incident/exports/:export"

  private static let wish = Schema.object([
    .required("reason", .string(3...500), "Why; the journal and the package keep it."),
    .optional("redact", RedactionOrder.schema, "What redacted copies hide; none are made if not given."),
  ])

  private static let decision = Schema.object([
    .required("approve", .boolean, "Whether the package may be made."),
    .optional("reason", .string(1...500), "Why."),
  ])

  static var routes: [APIRoute] { asking + fetching }

  private static var asking: [APIRoute] {
    [
      APIRoute(
        .get, all, .incident(.requestExport), tag: tag, "The incident's exports with their progress, newest first."
      ) { call in
        let exports = try await call.services.archive.exports.exports(of: call.incident().id)
        return .json(["exports": .array(exports.map(\.json))])
      },
      APIRoute(
        .post, all, .incident(.requestExport), tag: tag,
        "Ask for an evidence package; a second person has to agree where it is so configured, and always for custodians.",
        body: .json(wish), success: (201, "application/json")
      ) { try await request($0) },
      APIRoute(.get, one, .incident(.requestExport), tag: tag, "How an export stands.") { call in
        .json(try await call.services.archive.exports.export(call.parameter("export"), in: call.incident().id).json)
      },
      APIRoute(
        .post, "\(one)/decision", .incident(.approveExport), tag: tag,
        "Agree to an export that somebody else asked for, or refuse it; the first answer counts.", body: .json(decision)
      ) { call in
        let export = try await call.services.archive.exports.decide(
          call.parameter("export"), in: call.incident().id, approve: call.body["approve"]?.bool ?? false,
          reason: call.body["reason"]?.string, by: call.principal())
        return .json(export.json)
      },
      APIRoute(
        .delete, one, .incident(.requestExport), tag: tag,
        "Withdraw one's own wish while the package is not ready, or delete the package.", success: (204, nil)
      ) { call in
        try await call.services.archive.exports.remove(
          call.parameter("export"), in: call.incident().id, by: call.principal())
        return .done
      },
    ]
  }

  private static func request(_ call: APICall) async throws -> Response {
    let redaction: RedactionOrder?
    do throws(PackageError) {
      redaction = try call.body["redact"].map { (json) throws(PackageError) in try RedactionOrder(json: json) }
    } catch {
      throw Problem(.badPayload, "redact: \(error.text)")
    }
    let incident = try call.incident().id
    let export = try await call.services.archive.exports.request(
      incident, reason: call.body["reason"]?.string ?? "", redaction: redaction, by: call.principal())
    var response = Response.json(["export": .string(export.id), "state": .string(export.stateName)], status: .created)
    response.headers[.location] = "/api/v1/incidents/\(incident)/exports/\(export.id)"
    return response
  }

  private static var fetching: [APIRoute] {
    [
      APIRoute(
        .get, "\(one)/package", .incident(.requestExport), tag: tag,
        "The package, a ZIP archive, whole or by one range of bytes; the journal notes who fetches it.",
        success: (200, "application/zip")
      ) { try await fetch($0) }
    ]
  }

  private static func fetch(_ call: APICall) async throws -> Response {
    let (id, incident, principal) = (try call.parameter("export"), try call.incident().id, try call.principal())
    let exports = call.services.archive.exports
    let (package, file) = try await exports.package(of: id, in: incident, for: principal)
    let content = RangedContent(
      length: package.length, tag: EntityTag(Hex.encode(package.hash)),
      headers: [
        .contentType: "application/zip", .cacheControl: "private, no-store", .contentSecurityPolicy: "sandbox",
        .contentDisposition: "attachment; filename=\"\(incident)-\(id).zip\"",
      ]
    ) { range in
      try await exports.read(file, range)
    }
    return try await content.response(to: call.request) {
      try await exports.noteFetched(id, package, in: incident, by: principal)
    }
  }
}
