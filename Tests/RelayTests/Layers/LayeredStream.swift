import Primitives
import RTP

/// Makes VP8 pictures in three temporal layers, as browsers do: 0 2 1 2, each picture two packets (RFC 7741 §4.2).
struct LayeredStream {
  let ssrc: UInt32
  let size: Int
  var rid: String?
  private(set) var picture = 0
  private var sequence: UInt16 = 4_000
  private var timestamp: UInt32 = 1_000_000

  /// - Parameter picture: Of the first picture; a multiple of 4.
  init(_ ssrc: UInt32, size: Int = 600, rid: String? = nil, picture: Int = 0) {
    self.ssrc = ssrc
    self.picture = picture
    self.size = size
    self.rid = rid
  }

  /// Time between pictures.
  static let interval: Int64 = 33

  /// The temporal layer of a picture by its number.
  static func temporal(_ picture: Int) -> UInt8 {
    switch picture % 4 {
    case 0: 0
    case 2: 1
    default: 2
    }
  }

  /// The packets of the next picture.
  mutating func next(keyframe: Bool = false) -> [[UInt8]] {
    if keyframe { picture += (4 - picture % 4) % 4 }
    defer {
      picture += 1
      timestamp &+= 2_970
    }
    return (0..<2).map { packet(isFirst: $0 == 0, isKeyframe: keyframe) }
  }

  private mutating func packet(isFirst: Bool, isKeyframe: Bool) -> [UInt8] {
    defer { sequence &+= 1 }
    let temporal = Self.temporal(picture)
    // The first picture of a higher layer after the base layer needs the base layer alone.
    let isSync = temporal > 0 && picture % 4 <= 2
    var payload: [UInt8] = [isFirst ? 0x90 : 0x80, 0xe0]
    payload += [0x80 | UInt8(picture >> 8 & 0x7f), UInt8(picture & 0xff), UInt8(picture / 4 & 0xff)]
    payload.append(temporal << 6 | (isSync ? 0x20 : 0))
    payload += isFirst && isKeyframe ? [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01] : [0x11]
    while payload.count < size { payload.append(UInt8(truncatingIfNeeded: payload.count)) }
    return rtp(payload, marker: !isFirst)
  }

  private func rtp(_ payload: [UInt8], marker: Bool) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 64)
    let length = bytes.withUnsafeMutableBytes { buffer in
      guard let base = buffer.baseAddress else { return 0 }
      var writer = RTPExtensionWriter(base + RTPHeader.fixedLength, capacity: 48)
      if let rid { _ = Array(rid.utf8).withUnsafeBytes { writer.append(id: 2, $0) } }
      let extensionLength = writer.finish()
      RTPHeader.write(
        to: base, marker: marker, payloadType: PayloadType(96), sequenceNumber: SequenceNumber(sequence),
        timestamp: timestamp, ssrc: SSRC(ssrc), hasExtension: extensionLength > 0)
      return RTPHeader.fixedLength + extensionLength
    }
    return Array(bytes.prefix(length)) + payload
  }
}

extension ReceivedPacket {
  var descriptor: VP8Descriptor? { payload.withUnsafeBytes { try? VP8Descriptor(parsing: $0) } }
  var temporal: UInt8 { descriptor?.temporalLayer ?? .max }
  var pictureID: UInt16 { descriptor?.pictureID ?? .max }
}

extension [ReceivedPacket] {
  /// Picture ids as they first appear.
  var pictureIDs: [UInt16] {
    reduce(into: []) { ids, packet in if ids.last != packet.pictureID { ids.append(packet.pictureID) } }
  }

  /// No picture id is left out.
  var hasAllPictures: Bool {
    zip(pictureIDs, pictureIDs.dropFirst()).allSatisfy { $1 == ($0 &+ 1) & 0x7fff }
  }
}
