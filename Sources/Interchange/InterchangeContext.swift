import Incidents
import Primitives

/// Who speaks, from where and when: what an incident alone does not say.
package struct InterchangeContext: Hashable, Sendable {
  /// Where this service is reached, without a slash at the end, such as `https://sightline.example`.
  package let baseURL: String
  /// The agency as others know it: a domain name, such as `leitstelle-nord.example` (NENA-STA-010 §2.1.1).
  package let agencyID: String
  package let agencyName: String
  /// This system within the agency: a domain name too (NENA-STA-010 §2.1.3).
  package let elementID: String
  package let now: UTCTime

  package init(baseURL: String, agencyID: String, agencyName: String, elementID: String, now: UTCTime) {
    self.baseURL = baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL
    self.agencyID = agencyID
    self.agencyName = agencyName
    self.elementID = elementID
    self.now = now
  }

  /// The page of an incident, for people.
  package func page(of incident: IncidentID) -> String { "\(baseURL)/incidents/\(URIText.encode(incident.value))" }

  /// The content of a file of an incident.
  package func url(ofFile file: String, in incident: IncidentID) -> String {
    "\(baseURL)/api/v1/incidents/\(URIText.encode(incident.value))/files/\(URIText.encode(file))"
  }
}

/// Percent-encoding (RFC 3986 §2.1).
package enum URIText {
  /// Everything but the unreserved characters as `%XX` of its UTF-8.
  package static func encode(_ text: String) -> String {
    var output: [UInt8] = []
    for byte in text.utf8 {
      if byte.isASCIILetterOrDigit || "-._~".utf8.contains(byte) {
        output.append(byte)
      } else {
        output.append(contentsOf: "%\(Hex.encode([byte]).uppercased())".utf8)
      }
    }
    return String(decoding: output, as: UTF8.self)
  }
}
