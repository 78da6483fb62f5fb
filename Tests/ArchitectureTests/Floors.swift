/// The floors of the house: what each target may import besides the standard library.
///
/// A new target or a new import is a decision about the architecture: it is made here, with a reason beside it when it
/// is an exception.
struct Floor: Sendable {
  let target: String
  let number: Int
  /// Targets of this package.
  let modules: Set<String>
  /// System libraries, Foundation and other packages' products.
  let libraries: Set<String>

  init(_ number: Int, _ target: String, _ modules: Set<String> = [], libraries: Set<String> = []) {
    self.number = number
    self.target = target
    self.modules = modules
    self.libraries = libraries
  }

  var allowed: Set<String> { modules.union(libraries) }

  /// Floors 0 to 2 open no socket, read no clock and start no task.
  var isSansIO: Bool { number <= 2 }

  static func of(_ target: String) -> Floor? { house.first { $0.target == target } }

  /// Imports of a target of the same floor: ICE speaks STUN, server and client share sockets, floor 0 builds on itself.
  static let sideways: Set = [
    "Cryptography -> Primitives", "JSON -> Primitives", "ICE -> STUN", "Identity -> Incidents",
    "Interchange -> Incidents", "Archive -> Incidents", "Recorder -> MediaFiles", "MediaServer -> Sockets",
    "MediaClient -> Sockets", "CongestionControl -> RTP",
    "Outgoing -> Storage",
  ]

  static let house: [Floor] = [
    Floor(0, "Primitives"),
    Floor(0, "Cryptography", ["Primitives"], libraries: ["COpenSSL"]),
    Floor(0, "JSON", ["Primitives"]),

    Floor(1, "STUN", ["Primitives", "Cryptography"]),
    Floor(1, "ICE", ["Primitives", "Cryptography", "STUN"]),
    Floor(1, "DTLS", ["Primitives", "Cryptography"], libraries: ["COpenSSL"]),
    Floor(1, "SRTP", ["Primitives", "Cryptography"], libraries: ["COpenSSL", "CSRTP2", "CIPSecMB", "CProcessor"]),
    Floor(1, "RTP", ["Primitives"]),
    Floor(1, "CongestionControl", ["Primitives", "RTP"]),
    Floor(1, "SDP", ["Primitives"]),
    // Synchronization: usrsctp has one instance a process, and one lock guards it (decision 0006).
    Floor(1, "DataChannel", ["Primitives"], libraries: ["CUSRSCTP", "Synchronization"]),

    // Synchronization: the ring to the recorder is between two threads (decision 0013). CProcessor: hints on what memory
    // comes next, which do nothing else.
    Floor(
      2, "Relay", ["Primitives", "RTP", "SRTP", "CongestionControl"], libraries: ["Synchronization", "CProcessor"]),
    Floor(
      2, "PeerSession", ["Primitives", "Cryptography", "STUN", "ICE", "DTLS", "SRTP", "RTP", "SDP", "DataChannel"]),

    // Glibc: sine and cosine for distances on the earth.
    Floor(2, "Incidents", ["Primitives", "Cryptography", "JSON"], libraries: ["Glibc", "Darwin"]),
    Floor(2, "Identity", ["Primitives", "Cryptography", "JSON", "Incidents"]),
    Floor(2, "Interchange", ["Primitives", "JSON", "Incidents"]),
    Floor(2, "Archive", ["Primitives", "Cryptography", "JSON", "RTP", "Incidents"]),

    Floor(3, "Sockets", ["Primitives"], libraries: ["CSystemCalls", "Foundation", "Glibc", "Synchronization"]),
    Floor(
      3, "MediaServer",
      ["Primitives", "STUN", "ICE", "DTLS", "RTP", "SDP", "SRTP", "DataChannel", "Relay", "PeerSession", "Sockets"],
      libraries: ["CSystemCalls", "Foundation", "Glibc", "Synchronization"]),
    // Our own peer: the demo's caller and the load generator. CLibAV reads the clip.
    Floor(
      3, "MediaClient",
      ["Primitives", "STUN", "ICE", "DTLS", "RTP", "SDP", "SRTP", "DataChannel", "PeerSession", "Sockets"],
      libraries: [
        "CLibAV", "CSystemCalls", "Foundation", "FoundationNetworking", "Glibc", "Histogram", "Synchronization",
      ]),

    Floor(
      3, "Storage", ["Primitives", "Cryptography", "JSON", "Incidents"],
      libraries: ["Foundation", "GRDB", "Glibc", "Synchronization"]),
    Floor(
      3, "MediaFiles", ["Primitives", "Archive"], libraries: ["CLibAV", "Foundation", "Glibc", "Synchronization"]),
    Floor(
      3, "Recorder",
      ["Primitives", "Cryptography", "JSON", "RTP", "Relay", "Incidents", "Archive", "MediaFiles"],
      libraries: ["CSystemCalls", "Dispatch", "Foundation", "Glibc", "Synchronization"]),
    // CCurl: HTTP and SMTP to other systems (decision 0008).
    Floor(
      3, "Outgoing", ["Primitives", "Cryptography", "JSON", "Incidents", "Storage"],
      libraries: ["CCurl", "CQREncode", "Dispatch", "Foundation", "Synchronization"]),

    Floor(
      4, "ControlRoom",
      [
        "Primitives", "Cryptography", "JSON", "Incidents", "Identity", "Interchange", "Archive", "MediaFiles",
        "Recorder", "Storage", "Outgoing", "MediaServer",
      ],
      libraries: ["Dispatch", "Foundation", "Synchronization"]),

    Floor(
      5, "Gateway",
      [
        "Primitives", "Cryptography", "JSON", "Incidents", "Identity", "Interchange", "Archive", "Recorder",
        "Storage", "Outgoing", "MediaServer", "ControlRoom",
      ],
      libraries: [
        "CZlib", "Foundation", "HTTPTypes", "Hummingbird", "HummingbirdCore", "HummingbirdTLS", "Logging", "NIOCore",
        "NIOHTTP1",
        "NIOHTTPTypes", "NIOHTTPTypesHTTP1", "NIOPosix", "NIOSSL", "NIOWebSocket", "ServiceLifecycle",
        "Synchronization",
      ]),

    Floor(
      6, "Sightline",
      [
        "Primitives", "Cryptography", "JSON", "Incidents", "Identity", "DTLS", "SDP", "SRTP", "Relay", "Sockets",
        "Archive", "MediaFiles", "Recorder", "Storage", "Outgoing", "MediaServer", "MediaClient", "ControlRoom",
        "Gateway",
      ],
      libraries: [
        "ArgumentParser", "Dispatch", "Foundation", "Glibc", "Logging", "ServiceLifecycle", "Synchronization",
      ]),
  ]
}
