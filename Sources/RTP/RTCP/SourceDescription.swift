import Primitives

/// Who the sources are (RFC 3550 §6.5).
package struct SourceDescription: Equatable, Sendable {
  /// The items of one source.
  package struct Chunk: Equatable, Sendable {
    package var ssrc: SSRC
    package var items: [Item]

    package init(ssrc: SSRC, items: [Item]) {
      self.ssrc = ssrc
      self.items = items
    }

    /// A chunk with a canonical name only: all that WebRTC asks for (RFC 8834 §4.9).
    package init(ssrc: SSRC, canonicalName: String) {
      self.init(ssrc: ssrc, items: [Item(type: Item.canonicalName, value: Array(canonicalName.utf8))])
    }

    /// The `CNAME` item, when there is one in valid UTF-8.
    package var canonicalName: String? {
      items.first { $0.type == Item.canonicalName }.flatMap { String(validating: $0.value, as: UTF8.self) }
    }
  }

  /// One property of a source.
  package struct Item: Equatable, Sendable {
    /// 1 to 255 (RFC 3550 §12.2).
    package var type: UInt8
    /// At most 255 bytes.
    ///
    /// A writer cuts longer values off.
    package var value: [UInt8]

    package init(type: UInt8, value: [UInt8]) {
      self.type = type
      self.value = value
    }

    package static let canonicalName: UInt8 = 1
  }

  /// At most 31.
  ///
  /// A writer leaves further ones out.
  package var chunks: [Chunk]

  package init(chunks: [Chunk]) {
    self.chunks = chunks
  }

  init(parsing reader: inout ByteReader, count: UInt8) throws(RTPError) {
    chunks = []
    for _ in 0..<count {
      chunks.append(try Chunk(parsing: &reader))
    }
  }

  func write(to writer: inout ByteWriter) {
    let written = chunks.prefix(31)
    writer.writeRTCP(type: RTCPType.sourceDescription, count: written.count) { writer in
      for chunk in written { chunk.write(to: &writer) }
    }
  }
}

extension SourceDescription.Chunk {
  fileprivate init(parsing reader: inout ByteReader) throws(RTPError) {
    ssrc = SSRC(try reader.uint32())
    items = []
    while true {
      let type = try reader.uint8()
      if type == 0 { break }
      let length = Int(try reader.uint8())
      items.append(SourceDescription.Item(type: type, value: Array(try reader.slice(length))))
    }
    // Null bytes up to the next 32-bit boundary end the list. The body starts on one.
    while reader.offset % 4 != 0 { _ = try reader.uint8() }
  }

  fileprivate func write(to writer: inout ByteWriter) {
    writer.write(ssrc.rawValue)
    for item in items where item.type != 0 {
      let value = item.value.prefix(255)
      writer.write(item.type)
      writer.write(UInt8(value.count))
      writer.write(value)
    }
    writer.write(UInt8(0))
    writer.pad(to: 4)
  }
}

/// Sources that stop sending (RFC 3550 §6.6).
package struct Goodbye: Equatable, Sendable {
  /// At most 31.
  ///
  /// A writer leaves further ones out.
  package var sources: [SSRC]
  /// Why, for people to read; at most 255 bytes of UTF-8.
  package var reason: String?

  package init(sources: [SSRC], reason: String? = nil) {
    self.sources = sources
    self.reason = reason
  }

  init(parsing reader: inout ByteReader, count: UInt8) throws(RTPError) {
    sources = []
    for _ in 0..<count { sources.append(SSRC(try reader.uint32())) }
    guard !reader.isAtEnd else { return }
    let length = Int(try reader.uint8())
    reason = String(validating: try reader.slice(length), as: UTF8.self)
  }

  func write(to writer: inout ByteWriter) {
    let written = sources.prefix(31)
    writer.writeRTCP(type: RTCPType.goodbye, count: written.count) { writer in
      for source in written { writer.write(source.rawValue) }
      guard let reason else { return }
      let text = reason.utf8.prefix(255)
      writer.write(UInt8(text.count))
      writer.write(text)
    }
  }
}
