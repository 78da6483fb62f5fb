import Primitives

/// An RTCP feedback capability, the part of `a=rtcp-fb` after the payload type (RFC 4585 §4.2).
package struct RTCPFeedback: Hashable, Sendable, RawRepresentable, CustomStringConvertible {
  package var rawValue: String

  package init(rawValue: String) {
    self.rawValue = rawValue
  }

  package static let nack = RTCPFeedback(rawValue: "nack")
  package static let nackPLI = RTCPFeedback(rawValue: "nack pli")
  package static let ccmFIR = RTCPFeedback(rawValue: "ccm fir")
  package static let transportCC = RTCPFeedback(rawValue: "transport-cc")
  package static let googREMB = RTCPFeedback(rawValue: "goog-remb")

  package var description: String { rawValue }
}

/// The parameters of an `a=fmtp` line, kept as written (RFC 8866 §6.15).
package struct FormatParameters: Hashable, Sendable, CustomStringConvertible {
  /// Everything after the payload type.
  package private(set) var text: String

  package init(_ text: String) {
    self.text = text
  }

  /// The value of a `name=value` pair; names are compared without case (RFC 6184 §8.2.2 and habit).
  package subscript(name: String) -> String? {
    for pair in text.split(separator: ";") {
      guard let (key, value) = pair.splitOnce("="), key.trimmed.equalsIgnoringCase(name) else { continue }
      return String(value.trimmed)
    }
    return nil
  }

  /// Sets a pair that is missing or different; the others keep their place.
  package mutating func set(_ name: String, _ value: String) {
    guard self[name] != value else { return }
    let others = text.split(separator: ";").filter { pair in
      !pair.trimmed.isEmpty && pair.splitOnce("=").map { !$0.head.trimmed.equalsIgnoringCase(name) } ?? true
    }
    text = (others.map { String($0.trimmed) } + ["\(name)=\(value)"]).joined(separator: ";")
  }

  package var description: String { text }
}

/// One payload type of an m-line with all that the section says about it.
package struct PayloadFormat: Hashable, Sendable {
  package var payloadType: PayloadType
  /// The encoding name as written.
  package var name: String
  /// RTP clock, in Hz.
  package var clockRate: UInt32
  /// Audio channels; 1 when `a=rtpmap` does not say.
  package var channels: UInt8
  package var parameters: FormatParameters?
  package var feedback: [RTCPFeedback]
}

extension MediaSection {
  /// The m-line's payload types that have an `a=rtpmap`, in the m-line's order (RFC 8866 §6.6).
  package func payloadFormats() throws(SDPError) -> [PayloadFormat] {
    let mappings = try rtpMappings()
    let parameters = try formatParameters()
    let feedback = try feedbackByFormat()
    var seen: Set<PayloadType> = []
    var result: [PayloadFormat] = []
    for format in formats {
      guard let number: UInt8 = format.decimal(), number < 128 else {
        throw error(.malformed, "\"\(format.prefix(16))\" is no payload type from 0 to 127")
      }
      let payloadType = PayloadType(number)
      guard var mapped = mappings[payloadType], seen.insert(payloadType).inserted else { continue }
      mapped.parameters = parameters[payloadType]
      mapped.feedback = feedback.every + (feedback.single[payloadType] ?? [])
      result.append(mapped)
    }
    return result
  }

  private func rtpMappings() throws(SDPError) -> [PayloadType: PayloadFormat] {
    var result: [PayloadType: PayloadFormat] = [:]
    for attribute in attributes("rtpmap") {
      let (payloadType, rest) = try attribute.payloadTypeAndRest()
      let fields = rest.trimmed.split(separator: "/", omittingEmptySubsequences: false)
      guard (2...3).contains(fields.count), fields[0].isToken, let rate: UInt32 = fields[1].decimal(), rate > 0 else {
        throw attribute.malformed("rtpmap is a payload type, then name/clock rate and perhaps /channels")
      }
      var channels: UInt8 = 1
      if fields.count == 3 {
        guard let count: UInt8 = fields[2].decimal(), count > 0 else {
          throw attribute.malformed("the number of channels is not a number from 1 to 255")
        }
        channels = count
      }
      result[payloadType] = PayloadFormat(
        payloadType: payloadType, name: String(fields[0]), clockRate: rate, channels: channels, parameters: nil,
        feedback: [])
    }
    return result
  }

  private func formatParameters() throws(SDPError) -> [PayloadType: FormatParameters] {
    var result: [PayloadType: FormatParameters] = [:]
    for attribute in attributes("fmtp") {
      let (payloadType, rest) = try attribute.payloadTypeAndRest()
      result[payloadType] = FormatParameters(String(rest.trimmed))
    }
    return result
  }

  /// Feedback of every format (`a=rtcp-fb:*`) and of single ones.
  private func feedbackByFormat() throws(SDPError) -> (every: [RTCPFeedback], single: [PayloadType: [RTCPFeedback]]) {
    var every: [RTCPFeedback] = []
    var single: [PayloadType: [RTCPFeedback]] = [:]
    for attribute in attributes("rtcp-fb") {
      if let value = attribute.value, value.hasPrefix("* ") {
        every.append(RTCPFeedback(rawValue: value.dropFirst(2).words.joined(separator: " ")))
      } else {
        let (payloadType, rest) = try attribute.payloadTypeAndRest()
        single[payloadType, default: []].append(RTCPFeedback(rawValue: rest.words.joined(separator: " ")))
      }
    }
    return (every, single)
  }
}

extension SDPAttribute {
  /// The number before the first space, and what follows it.
  fileprivate func payloadTypeAndRest() throws(SDPError) -> (PayloadType, Substring) {
    let value = try requiredValue()
    guard let (head, rest) = value.splitOnce(" ") else {
      throw malformed("\(name) is a payload type, a space and a value")
    }
    guard let number: UInt8 = head.decimal(), number < 128 else {
      throw malformed("the payload type is not a number from 0 to 127")
    }
    return (PayloadType(number), rest)
  }
}
