import Primitives

extension MediaSection {
  /// The payload types of this m-line that the server carries, in the m-line's order, with their retransmission types and
  /// as much of `feedback` as the section has.
  ///
  /// Left out: everything that is not in ``MediaCodec``, H.264 without packetization mode 1 or with a profile other than
  /// baseline, main and high, VP9 profiles other than 0 and 2, RED around something that is left out.
  package func carriedCodecs(feedback: Set<RTCPFeedback>) throws(SDPError) -> [NegotiatedCodec] {
    let formats = try payloadFormats()
    var codecs = formats.compactMap { negotiated($0, feedback: feedback) }
    let opus = Set(codecs.filter { $0.codec == .opus }.map(\.payloadType))
    codecs.removeAll { $0.codec == .red && !Self.isRedundancy(of: opus, $0.parameters) }
    let repairs = Self.retransmissions(formats)
    for index in codecs.indices {
      guard let repair = repairs[codecs[index].payloadType], repair.clockRate == codecs[index].clockRate else {
        continue
      }
      codecs[index].retransmission = repair.payloadType
    }
    return codecs
  }

  private func negotiated(_ format: PayloadFormat, feedback: Set<RTCPFeedback>) -> NegotiatedCodec? {
    guard let codec = MediaCodec(encodingName: format.name), codec.kind == kind, codec.clockRate == format.clockRate
    else { return nil }
    var parameters = format.parameters
    switch codec {
    case .h264:
      guard parameters?["packetization-mode"] == "1", H264Profile(parameters) != nil else { return nil }
    case .vp9:
      guard ["0", "2"].contains(parameters?["profile-id"] ?? "0") else { return nil }
    case .opus:
      // RFC 7587 §7.1: the rtpmap always says two channels.
      guard format.channels == 2 else { return nil }
      parameters = parameters ?? FormatParameters("")
      parameters?.set("useinbandfec", "1")
    case .red, .vp8, .av1: break
    }
    var accepted: [RTCPFeedback] = []
    for capability in format.feedback where feedback.contains(capability) && !accepted.contains(capability) {
      accepted.append(capability)
    }
    return NegotiatedCodec(
      payloadType: format.payloadType, codec: codec, clockRate: format.clockRate, channels: format.channels,
      parameters: parameters, feedback: accepted)
  }

  /// RED's parameters list the payload types inside, primary first: `111/111` (RFC 2198 §5).
  private static func isRedundancy(of opus: Set<PayloadType>, _ parameters: FormatParameters?) -> Bool {
    guard let parameters else { return false }
    return parameters.text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
      guard let number: UInt8 = part.trimmed.decimal() else { return false }
      return number < 128 && opus.contains(PayloadType(number))
    }
  }

  /// Retransmission formats by the payload type that they repair (`apt`, RFC 4588 §8.1).
  private static func retransmissions(_ formats: [PayloadFormat]) -> [PayloadType: PayloadFormat] {
    var result: [PayloadType: PayloadFormat] = [:]
    for format in formats where format.name.equalsIgnoringCase("rtx") {
      guard let apt: UInt8 = format.parameters?["apt"]?.decimal(), apt < 128 else { continue }
      result[PayloadType(apt)] = format
    }
    return result
  }
}

extension [NegotiatedCodec] {
  /// The same codecs with the preferred ones first; otherwise the order stays.
  func ordered(by preference: [MediaCodec]) -> [NegotiatedCodec] {
    preference.flatMap { codec in filter { $0.codec == codec } } + filter { !preference.contains($0.codec) }
  }

  /// The `a=rtpmap`, `a=fmtp` and `a=rtcp-fb` lines of these codecs, each followed by its retransmission format.
  var attributes: [SDPAttribute] {
    var result: [SDPAttribute] = []
    for codec in self {
      let channels = codec.channels > 1 ? "/\(codec.channels)" : ""
      result.append(
        SDPAttribute("rtpmap", "\(codec.payloadType) \(codec.codec.rawValue)/\(codec.clockRate)\(channels)"))
      if let parameters = codec.parameters, !parameters.text.isEmpty {
        result.append(SDPAttribute("fmtp", "\(codec.payloadType) \(parameters)"))
      }
      for feedback in codec.feedback { result.append(SDPAttribute("rtcp-fb", "\(codec.payloadType) \(feedback)")) }
      if let retransmission = codec.retransmission {
        result.append(SDPAttribute("rtpmap", "\(retransmission) rtx/\(codec.clockRate)"))
        result.append(SDPAttribute("fmtp", "\(retransmission) apt=\(codec.payloadType)"))
      }
    }
    return result
  }

  /// The payload types for the m-line, retransmissions next to what they repair.
  var formats: [String] {
    flatMap { [$0.payloadType] + ($0.retransmission.map { [$0] } ?? []) }.map(\.description)
  }
}
