import ControlRoom
import Incidents
import JSON

/// The metadata channel as AsyncAPI 3.0, out of the table of kinds.
enum AsyncAPIDocument {
  static func make() -> JSONValue {
    var messages: [String: JSONValue] = [:]
    for kind in EventKind.allCases { messages[kind.rawValue] = message(kind) }
    for kind in ClientMetadata.requestKinds.sorted() { messages[kind] = request(kind) }
    let references = messages.keys.sorted().map { JSONValue.object(["$ref": .string("#/components/messages/\($0)")]) }
    return [
      "asyncapi": "3.0.0",
      "info": [
        "title": "Sightline metadata channel", "version": "1",
        "description": """
        One envelope on two carriers: the WebSocket /ws (subprotocol sightline.v1) and the data channel \
        sightline.metadata. What has no `accepted` yet is sent again under the same id, on whatever carrier is up; \
        events are numbered without gaps, and one that comes twice is told by its number.
        """,
      ],
      "channels": [
        "metadata": [
          "address": "/ws",
          "messages": .object(
            Dictionary(
              uniqueKeysWithValues: messages.keys.map { ($0, ["$ref": .string("#/components/messages/\($0)")]) })),
        ]
      ],
      "operations": [
        "receive": ["action": "receive", "channel": ["$ref": "#/channels/metadata"]],
        "send": ["action": "send", "channel": ["$ref": "#/channels/metadata"]],
      ],
      "components": ["messages": .object(messages)], "x-message-list": .array(references),
    ]
  }

  private static func message(_ kind: EventKind) -> JSONValue {
    let traits = kind.traits
    var sender = "server"
    if case .client(let action) = traits.sender { sender = action.rawValue }
    return [
      "name": .string(kind.rawValue), "summary": .string(traits.note),
      "x-sightline-audience": .array(
        Role.allCases.filter { traits.audience.isSuperset(of: Audience($0)) }
          .filter { !Audience($0).isEmpty }.map { .string($0.rawValue) }),
      "x-sightline-durability": .string(traits.durability.rawValue), "x-sightline-sender": .string(sender),
      "payload": envelope(kind.rawValue, ["incident": identifier, "payload": traits.payload.document]),
    ]
  }

  private static let identifier: JSONValue = [
    "type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[A-Za-z0-9_-]+$",
  ]

  private static func request(_ kind: String) -> JSONValue {
    switch kind {
    case "subscribe":
      described(
        kind, "Follow an incident: `subscribed` with a snapshot, then every event after `after`.",
        ["incident": identifier, "after": ["type": "integer", "minimum": 0]])
    case "unsubscribe": described(kind, "Follow it no longer.", ["incident": identifier])
    default:
      described(
        kind, "Keep a list of incidents: \"agency\", {unit}, {area: {lat, lon, radius}} or \"none\".", ["scope": [:]])
    }
  }

  private static func described(_ kind: String, _ summary: String, _ parts: [String: JSONValue]) -> JSONValue {
    ["name": .string(kind), "summary": .string(summary), "payload": envelope(kind, parts)]
  }

  private static func envelope(_ kind: String, _ parts: [String: JSONValue]) -> JSONValue {
    var properties = parts
    properties["v"] = ["const": 1]
    properties["kind"] = ["const": .string(kind)]
    properties["id"] = ["type": "string", "minLength": 1, "maxLength": .integer(ClientMetadata.maximumIDLength)]
    let required = ["v", "kind"] + parts.keys.filter { $0 == "incident" || $0 == "payload" }.sorted()
    return [
      "type": "object", "properties": .object(properties), "required": .array(required.map { .string($0) }),
    ]
  }
}
