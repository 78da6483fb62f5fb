import ControlRoom
import HTTPTypes
import Hummingbird
import Incidents
import JSON
import Outgoing

/// Webhooks: events to computer-aided dispatch and other systems, signed, and the letters that could not be delivered.
enum WebhookRoutes {
  private static let tag = "webhooks"

  private static let newWebhook = Schema.object([
    .required("url", .string(8...2_000, format: .uri), "Where events are posted, https or http."),
    .required(
      "secret", .string(Webhook.minimumSecretLength...Webhook.maximumSecretLength),
      "Signs each delivery: HMAC-SHA256 over timestamp, a dot and the body."),
    .optional(
      "kinds", .array(.choice(EventKind.allCases.map(\.rawValue)), count: 0...EventKind.allCases.count),
      "Kinds of events; all that happen to incidents if not given."),
  ])

  private static let letter = Schema.object([.required("key", .string(1...300), "The letter, as the list names it.")])

  private static let page: [Schema.Field] = [
    .optional("after", .string(1...300), "The key of the last letter that was seen."),
    .optional("limit", .integer(1...1_000), "Most letters in one answer; 200 if not given."),
  ]

  static var routes: [APIRoute] {
    [
      APIRoute(.get, "/api/v1/webhooks", .service(.manageSettings), tag: tag, "The agency's webhooks.") { call in
        let desk = call.services.webhooks
        let webhooks = desk.webhooks(for: try call.principal())
        return .json(["webhooks": .array(webhooks.map { view($0, pending: desk.pending($0.id)) })])
      },
      APIRoute(
        .post, "/api/v1/webhooks", .service(.manageSettings), tag: tag, "Add a webhook.", body: .json(newWebhook),
        success: (201, "application/json")
      ) { call in
        let kinds = (call.body["kinds"]?.array ?? []).compactMap(\.string)
        let webhook = try await call.services.webhooks.add(
          url: call.body["url"]?.string ?? "", secret: call.body["secret"]?.string ?? "", kinds: Set(kinds),
          by: call.principal())
        return .json(view(webhook, pending: 0), status: .created)
      },
      APIRoute(
        .delete, "/api/v1/webhooks/:webhook", .service(.manageSettings), tag: tag,
        "Remove a webhook; what waits for it is not delivered.", success: (204, nil)
      ) { call in
        try await call.services.webhooks.remove(call.parameter("webhook"), by: call.principal())
        return .done
      },
    ] + deadLetters
  }

  private static var deadLetters: [APIRoute] {
    [
      APIRoute(
        .get, "/api/v1/webhooks/dead-letters", .service(.manageSettings), tag: tag,
        "Deliveries that were given up, with the last error.", queries: page
      ) { call in
        let limit = try call.query("limit", in: 1...1_000, standard: 200)
        let letters = try await call.services.webhooks.deadLetters(
          after: call.query("after"), limit: limit)
        return .json([
          "deadLetters": .array(letters.map(view)), "count": .integer(call.services.webhooks.deadLetterCount),
        ])
      },
      APIRoute(
        .post, "/api/v1/webhooks/dead-letters/retry", .service(.manageSettings), tag: tag, "Try a dead letter again.",
        body: .json(letter), success: (204, nil)
      ) { call in
        try await call.services.webhooks.settle(
          call.body["key"]?.string ?? "", retrying: true, by: call.principal())
        return .done
      },
      APIRoute(
        .post, "/api/v1/webhooks/dead-letters/drop", .service(.manageSettings), tag: tag, "Throw a dead letter away.",
        body: .json(letter), success: (204, nil)
      ) { call in
        try await call.services.webhooks.settle(
          call.body["key"]?.string ?? "", retrying: false, by: call.principal())
        return .done
      },
    ]
  }

  private static func view(_ webhook: Webhook, pending: Int) -> JSONValue {
    [
      "id": .string(webhook.id), "url": .string(webhook.url), "createdAt": .string(webhook.createdAt.description),
      "kinds": .array(webhook.kinds.sorted().map { .string($0) }), "pending": .integer(pending),
    ]
  }

  private static func view(_ letter: WebhookDeadLetter) -> JSONValue {
    .members([
      "key": .string(letter.key), "webhook": .string(letter.delivery.webhook),
      "incident": .string(letter.delivery.incident.value), "number": .integer(letter.delivery.number),
      "tries": .integer(letter.delivery.tries), "error": letter.delivery.lastError.map { .string($0) },
      "diedAt": .string(letter.diedAt.description),
    ])
  }
}
