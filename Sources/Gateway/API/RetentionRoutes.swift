import Archive
import ControlRoom
import HTTPTypes
import Hummingbird
import Incidents
import JSON

/// How long recordings are kept: policies, holds, and what a sweep would delete.
enum RetentionRoutes {
  private static let tag = "retention"

  private static let hold = Schema.object([
    .required("held", .boolean, "Whether nothing of it may be deleted from now on."),
    .required("reason", .string(3...500), "Why; it is in the incident's journal."),
  ])

  static var routes: [APIRoute] {
    [
      APIRoute(
        .get, "/api/v1/retention", .service(.manageSettings), tag: tag,
        "How many days after an incident's end the agency keeps what; what is not named is kept for ever."
      ) { call in
        let policy = try await call.services.archive.keeping.retention.policy(of: call.principal().facts.agency)
        return .json(["policy": policy.json, "space": call.services.archive.keeping.space.reading.json])
      },
      APIRoute(
        .put, "/api/v1/retention", .service(.manageSettings), tag: tag,
        "Set the agency's policy, the whole of it; journals are always kept.",
        body: .json(.object(RetentionPolicy.fields))
      ) { call in
        let policy = RetentionPolicy(json: call.body)
        try await call.services.archive.keeping.retention.setPolicy(policy, by: call.principal())
        return .json(["policy": policy.json])
      },
      APIRoute(
        .get, "/api/v1/retention/preview", .service(.manageSettings), tag: tag,
        "What a sweep would delete now, oldest first; nothing is deleted."
      ) { call in
        .json(
          try await call.services.archive.keeping.retention.preview(agency: call.principal().facts.agency).json)
      },
      APIRoute(
        .post, "/api/v1/retention/sweep", .service(.manageSettings), tag: tag,
        "Delete now what is over, instead of at the day's sweep; what was deleted comes back."
      ) { call in
        .json(
          try await call.services.archive.keeping.retention.sweep(agency: call.principal().facts.agency).json)
      },
      APIRoute(
        .post, "/api/v1/incidents/:incident/hold", .incident(.hold), tag: tag,
        "Hold everything of an incident against deletion, or let it go again.", body: .json(hold), success: (204, nil)
      ) { call in
        try await call.services.archive.keeping.retention.hold(
          call.body["held"]?.bool ?? true, call.incident().id, reason: call.body["reason"]?.string ?? "",
          by: call.principal())
        return .done
      },
    ]
  }
}
