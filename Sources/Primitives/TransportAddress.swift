/// UDP or TCP, as a candidate or a path names it.
package enum TransportProtocol: UInt8, Hashable, Sendable {
  case udp
  case tcp
}

/// An IP address: 32 bits or 128 bits in network order, held as plain words so that it hashes and copies cheaply.
package struct IPAddress: Hashable, Sendable {
  package enum Family: UInt8, Hashable, Sendable {
    case v4
    case v6
  }

  package let family: Family
  /// The upper 64 bits of an IPv6 address; 0 for IPv4.
  package let high: UInt64
  /// The lower 64 bits of an IPv6 address; the 32 bits of an IPv4 address.
  package let low: UInt64

  @inlinable
  package init(v4 bits: UInt32) {
    family = .v4
    high = 0
    low = UInt64(bits)
  }

  /// An IPv4-mapped address (`::ffff:a.b.c.d`) becomes the IPv4 address that it stands for.
  @inlinable
  package init(v6High high: UInt64, low: UInt64) {
    if high == 0, low >> 32 == 0xffff {
      self.init(v4: UInt32(truncatingIfNeeded: low))
    } else {
      self.init(family: .v6, high: high, low: low)
    }
  }

  @usableFromInline
  init(family: Family, high: UInt64, low: UInt64) {
    self.family = family
    self.high = high
    self.low = low
  }

  /// Parses dotted decimal or RFC 4291 text; nil for anything else, zone identifiers included.
  package init?(_ text: some StringProtocol) {
    if text.contains(":") {
      guard let (high, low) = Self.parseV6(text) else { return nil }
      self.init(v6High: high, low: low)
    } else {
      guard let bits = Self.parseV4(text) else { return nil }
      self.init(v4: bits)
    }
  }

  package var isLoopback: Bool {
    switch family {
    case .v4: low >> 24 == 127
    case .v6: high == 0 && low == 1
    }
  }

  /// Whether this is the wildcard address of its family.
  package var isUnspecified: Bool { high == 0 && low == 0 }

  /// Whether this is a link-local address (169.254/16, fe80::/10).
  package var isLinkLocal: Bool {
    switch family {
    case .v4: low >> 16 == 0xa9fe
    case .v6: high >> 54 == 0xfe80 >> 6
    }
  }

  private static func parseV4(_ text: some StringProtocol) -> UInt32? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var bits: UInt32 = 0
    for part in parts {
      guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        let value = UInt8(part)
      else { return nil }
      bits = bits << 8 | UInt32(value)
    }
    return bits
  }

  private static func parseV6(_ text: some StringProtocol) -> (UInt64, UInt64)? {
    let halves = String(text).split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false)
    guard halves.count <= 2, let head = groups(of: halves[0]) else { return nil }
    var all = head
    if halves.count == 2 {
      guard let tail = groups(of: halves[1]), head.count + tail.count <= 7 else { return nil }
      all += [UInt16](repeating: 0, count: 8 - head.count - tail.count) + tail
    }
    guard all.count == 8 else { return nil }
    let high = all[0..<4].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
    let low = all[4..<8].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
    return (high, low)
  }

  private static func groups(of text: Substring) -> [UInt16]? {
    guard !text.isEmpty else { return [] }
    var result: [UInt16] = []
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() {
      if index == parts.count - 1, part.contains(".") {
        guard let bits = parseV4(part) else { return nil }
        result.append(UInt16(truncatingIfNeeded: bits >> 16))
        result.append(UInt16(truncatingIfNeeded: bits))
      } else {
        guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(\.isASCIILetterOrDigit),
          let value = UInt16(part, radix: 16)
        else { return nil }
        result.append(value)
      }
    }
    return result
  }
}

extension IPAddress: CustomStringConvertible {
  /// Dotted decimal, or RFC 5952 text.
  package var description: String {
    switch family {
    case .v4:
      return (0..<4).map { String(UInt8(truncatingIfNeeded: low >> UInt64(24 - 8 * $0))) }.joined(separator: ".")
    case .v6:
      let groups = (0..<8).map { index in
        UInt16(truncatingIfNeeded: (index < 4 ? high : low) >> UInt64(48 - 16 * (index % 4)))
      }
      return Self.compress(groups)
    }
  }

  private static func compress(_ groups: [UInt16]) -> String {
    var best = 0..<0
    var index = 0
    while index < 8 {
      var end = index
      while end < 8, groups[end] == 0 { end += 1 }
      if end - index > best.count { best = index..<end }
      index = max(end, index + 1)
    }
    let text = { (range: Range<Int>) in range.map { String(groups[$0], radix: 16) }.joined(separator: ":") }
    guard best.count > 1 else { return text(0..<8) }
    return text(0..<best.lowerBound) + "::" + text(best.upperBound..<8)
  }
}

/// An IP address and a port.
package struct TransportAddress: Hashable, Sendable, CustomStringConvertible {
  package var ip: IPAddress
  package var port: UInt16

  @inlinable
  package init(ip: IPAddress, port: UInt16) {
    self.ip = ip
    self.port = port
  }

  /// Parses an address without its port.
  package init?(_ ip: some StringProtocol, port: UInt16) {
    guard let ip = IPAddress(ip) else { return nil }
    self.init(ip: ip, port: port)
  }

  /// `192.0.2.1:3478` or `[2001:db8::1]:3478`.
  package var description: String {
    switch ip.family {
    case .v4: "\(ip):\(port)"
    case .v6: "[\(ip)]:\(port)"
    }
  }
}

/// One way for datagrams to travel between us and a peer: a protocol and both ends (RFC 8445's candidate pair on the wire).
package struct TransportPath: Hashable, Sendable, CustomStringConvertible {
  package var transport: TransportProtocol
  /// Our end: the address that our socket is bound to.
  package var local: TransportAddress
  package var remote: TransportAddress

  @inlinable
  package init(transport: TransportProtocol = .udp, local: TransportAddress, remote: TransportAddress) {
    self.transport = transport
    self.local = local
    self.remote = remote
  }

  package var description: String { "\(transport) \(local) <-> \(remote)" }

  // Looked up for everything that a socket receives. The far end tells paths apart; our own end adds what else there is
  // room for in the last word.

  @inlinable
  package static func == (left: TransportPath, right: TransportPath) -> Bool {
    left.words == right.words && left.remote.ip.low == right.remote.ip.low
      && left.remote.ip.high == right.remote.ip.high && left.local.ip.low == right.local.ip.low
      && left.local.ip.high == right.local.ip.high
  }

  @inlinable
  package func hash(into hasher: inout Hasher) {
    hasher.combine(remote.ip.low)
    hasher.combine(remote.ip.high)
    hasher.combine(words)
  }

  /// Everything that is no address, in one word.
  @usableFromInline var words: UInt64 {
    UInt64(remote.port) | UInt64(local.port) << 16 | UInt64(transport.rawValue) << 32
      | UInt64(remote.ip.family.rawValue) << 40 | UInt64(local.ip.family.rawValue) << 48
  }
}
