import Foundation
import Gateway
import MediaServer
import Primitives

/// Signs the links through which people join an incident.
struct Links {
  let base: String
  let incident: IncidentID
  let authority: TokenAuthority
  /// Seconds.
  let lifetime: Int64

  /// A token for one person.
  func token(_ kind: AccessToken.Kind, name: String, _ directions: MediaPermissions) -> String {
    var random = RandomSource.system
    let id = Hex.encode(random.bytes(8))
    let now = UnixTime(seconds: Int64(Date().timeIntervalSince1970))
    return authority.sign(
      AccessToken(
        subject: "\(kind.rawValue)-\(id)", name: name, incident: incident, directions: directions, kind: kind,
        issuedAt: now, expiresAt: now + lifetime, tokenID: id))
  }

  var whip: String { "\(base)/whip/\(incident)" }
  var whep: String { "\(base)/whep/\(incident)" }

  func callerPage(_ token: String) -> String { "\(base)/call/\(incident)?token=\(token)" }
  func viewerPage(_ token: String) -> String { "\(base)/watch/\(incident)?token=\(token)" }
}
