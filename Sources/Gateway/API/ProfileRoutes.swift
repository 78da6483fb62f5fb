import JSON

/// What every page may know of the service before anybody is let in.
struct ProfileRoutes: Sendable {
  let configuration: GatewayConfiguration
  let hasMapLibrary: Bool

  var routes: [APIRoute] {
    let (configuration, hasMapLibrary) = (configuration, hasMapLibrary)
    return [
      APIRoute(
        .get, "/api/v1/service", .everyone, tag: "service",
        "The service's name, whether it records, where maps come from, how links can be sent."
      ) { call in
        let map = configuration.map
        let tiles: JSONValue? = map.tiles.map { .string($0) }
        let attribution: JSONValue? = map.attribution.map { .string($0) }
        return .json([
          "name": .string(configuration.serviceName), "recorded": .bool(call.services.archive.late != nil),
          "map": .members(["available": .bool(hasMapLibrary), "tiles": tiles, "attribution": attribution]),
          "sends": [
            "sms": .bool(call.services.sender.sendsTexts), "email": .bool(call.services.sender.sendsMail),
          ],
        ])
      }
    ]
  }
}
