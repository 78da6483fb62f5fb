import Identity
import JSON
import Outgoing

/// What an admin may set while the node runs; the command line says what counts until somebody does.
package struct ServiceSettings: Hashable, Sendable {
  /// What callers know the service as, such as `112 Leitstelle Nord`.
  package var serviceName: String
  /// Minutes for which a caller's link can be opened.
  package var callerLinkMinutes: Int
  /// Minutes that a guest's or device's link lasts.
  package var guestLinkMinutes: Int
  /// What a text message or mail with a link says; ``servicePlaceholder`` and ``linkPlaceholder`` are filled in.
  package var messageText: String
  /// Template of the map tiles' addresses with `{z}`, `{x}` and `{y}`; nil draws a plain grid.
  package var mapTiles: String?
  /// Whose tiles they are, as their licence wants it shown.
  package var mapAttribution: String?

  package static let servicePlaceholder = "{service}"
  package static let linkPlaceholder = "{link}"
  package static let standardText = "{service} asks to see what you see. Open this link and tap Start: {link}"
  /// Longest text, in characters, before anything is filled in.
  package static let maximumTextLength = 480
  package static let maximumNameLength = 64
  package static let maximumTilesLength = 500
  package static let maximumAttributionLength = 200

  package init(
    serviceName: String = "Emergency service", callerLinkMinutes: Int = 15, guestLinkMinutes: Int = 240,
    messageText: String = standardText, mapTiles: String? = nil, mapAttribution: String? = nil
  ) {
    self.serviceName = serviceName
    self.callerLinkMinutes = callerLinkMinutes
    self.guestLinkMinutes = guestLinkMinutes
    self.messageText = messageText
    self.mapTiles = mapTiles
    self.mapAttribution = mapAttribution
  }

  /// The text of a message that carries `link`.
  package func message(with link: String) -> String {
    // The name comes first, so that a name which holds the link's placeholder is not filled in.
    let parts = messageText.split(separator: Self.linkPlaceholder, omittingEmptySubsequences: false)
    return parts.map { $0.replacing(Self.servicePlaceholder, with: serviceName) }.joined(separator: link)
  }

  /// Minutes of a link, unless whoever makes it says otherwise.
  package func linkMinutes(isCaller: Bool) -> Int { isCaller ? callerLinkMinutes : guestLinkMinutes }
}

extension ServiceSettings {
  /// Names of the settings, as the interface and the store have them.
  package enum Name: String, Hashable, Sendable, CaseIterable {
    case serviceName, callerLinkMinutes, guestLinkMinutes, messageText, mapTiles, mapAttribution
  }

  /// All settings by their names; empty texts for what is not there.
  package var json: JSONValue {
    .object(Dictionary(uniqueKeysWithValues: Name.allCases.map { ($0.rawValue, self[$0]) }))
  }

  package subscript(_ name: Name) -> JSONValue {
    switch name {
    case .serviceName: .string(serviceName)
    case .callerLinkMinutes: .integer(callerLinkMinutes)
    case .guestLinkMinutes: .integer(guestLinkMinutes)
    case .messageText: .string(messageText)
    case .mapTiles: .string(mapTiles ?? "")
    case .mapAttribution: .string(mapAttribution ?? "")
    }
  }

  /// The settings with some of them replaced by `values`; null leaves one as it is.
  ///
  /// Throws `badPayload` with the first thing that is wrong.
  package func replacing(_ values: [Name: JSONValue]) throws(Refusal) -> ServiceSettings {
    var new = self
    for (name, value) in values {
      switch name {
      case .serviceName: new.serviceName = value.string?.trimmed ?? serviceName
      case .callerLinkMinutes: new.callerLinkMinutes = value.integer ?? callerLinkMinutes
      case .guestLinkMinutes: new.guestLinkMinutes = value.integer ?? guestLinkMinutes
      case .messageText: new.messageText = value.string?.trimmed ?? messageText
      case .mapTiles: new.mapTiles = value.string.map(\.trimmed).flatMap { $0.isEmpty ? nil : $0 }
      case .mapAttribution: new.mapAttribution = value.string.map(\.trimmed).flatMap { $0.isEmpty ? nil : $0 }
      }
    }
    try new.check()
    return new
  }

  /// Throws `badPayload` with what cannot be.
  package func check() throws(Refusal) {
    guard (1...Self.maximumNameLength).contains(serviceName.count), serviceName.isOneLine else {
      throw Refusal(.badPayload, "serviceName: one line of 1 to \(Self.maximumNameLength) characters.")
    }
    for (name, minutes) in [("callerLinkMinutes", callerLinkMinutes), ("guestLinkMinutes", guestLinkMinutes)]
    where !LinkDesk.minutes.contains(minutes) {
      throw Refusal(.badPayload, "\(name): 1 to \(LinkDesk.minutes.upperBound).")
    }
    try checkText()
    try checkMap()
  }

  private func checkText() throws(Refusal) {
    guard (1...Self.maximumTextLength).contains(messageText.count), messageText.isOneLine else {
      throw Refusal(.badPayload, "messageText: one line of 1 to \(Self.maximumTextLength) characters.")
    }
    // Phones take what touches an address for a part of it.
    guard messageText.split(separator: " ").filter({ $0 == Self.linkPlaceholder }).count == 1,
      messageText.split(separator: Self.linkPlaceholder, omittingEmptySubsequences: false).count == 2
    else {
      throw Refusal(.badPayload, "messageText: \(Self.linkPlaceholder) has to stand in it once, between spaces.")
    }
  }

  private func checkMap() throws(Refusal) {
    if let mapAttribution, mapAttribution.count > Self.maximumAttributionLength || !mapAttribution.isOneLine {
      throw Refusal(
        .badPayload, "mapAttribution: one line of at most \(Self.maximumAttributionLength) characters.")
    }
    guard let mapTiles else { return }
    // The server's name becomes part of the pages' security policy.
    let isElsewhere = OutgoingRequest.host(of: mapTiles) != nil
    let host = mapTiles.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false).dropFirst(2).first ?? ""
    let authority = host.prefix { $0 != "/" }
    guard mapTiles.utf8.count <= Self.maximumTilesLength, mapTiles.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
      isElsewhere ? authority.utf8.allSatisfy(Self.isOfAuthority) : mapTiles.hasPrefix("/") && !mapTiles.hasPrefix("//")
    else {
      throw Refusal(
        .badPayload, "mapTiles: an address that begins with https://, http:// or /, without spaces, its server in full."
      )
    }
    for part in ["{z}", "{x}", "{y}"] where !mapTiles.contains(part) {
      throw Refusal(.badPayload, "mapTiles: \(part) is missing; tiles are named by {z}, {x} and {y}.")
    }
  }

  private static func isOfAuthority(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"):
      true
    default: false
    }
  }
}

extension String {
  fileprivate var trimmed: String {
    String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
  }

  /// Without control characters.
  fileprivate var isOneLine: Bool { !unicodeScalars.contains { $0.properties.generalCategory == .control } }
}
