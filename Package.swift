// swift-tools-version: 6.2
// The floors of the house (DESIGN): a target depends only on targets of the floors below it.
// Tests/ArchitectureTests reads every `import` and holds the sources to this picture.

import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
]

func module(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil) -> Target {
  .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
  name: "sightline",
  products: [
    .executable(name: "sightline", targets: ["Sightline"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: [
    // System libraries and thin shims
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CSRTP2", pkgConfig: "libsrtp2", providers: [.apt(["libsrtp2-dev"])]),
    .systemLibrary(name: "CIPSecMB", providers: [.apt(["libipsec-mb-dev"])]),
    .systemLibrary(name: "CUSRSCTP", pkgConfig: "usrsctp", providers: [.apt(["libusrsctp-dev"])]),
    .systemLibrary(
      name: "CLibAV", pkgConfig: "libavformat",
      providers: [.apt(["libavformat-dev", "libavcodec-dev", "libavfilter-dev", "libswscale-dev"])]),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CQREncode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "CSystemCalls"),
    .systemLibrary(name: "CProcessor"),

    // Floor 0
    module("Primitives"),
    module("Cryptography", ["COpenSSL", "Primitives"]),
    module("JSON", ["Primitives"]),

    // Floor 1
    module("STUN", ["Primitives", "Cryptography"]),
    module("ICE", ["Primitives", "Cryptography", "STUN"]),
    module("DTLS", ["Primitives", "Cryptography", "COpenSSL"]),
    module(
      "SRTP",
      [
        "Primitives", "Cryptography", "COpenSSL", "CSRTP2", "CProcessor",
        .target(name: "CIPSecMB", condition: .when(platforms: [.linux])),
      ]),
    module("RTP", ["Primitives"]),
    module("CongestionControl", ["Primitives", "RTP"]),
    module("SDP", ["Primitives"]),
    module("DataChannel", ["Primitives", "CUSRSCTP"]),

    // Floor 2
    module("Relay", ["Primitives", "RTP", "SRTP", "CongestionControl", "CProcessor"]),
    module(
      "PeerSession", ["Primitives", "Cryptography", "STUN", "ICE", "DTLS", "SRTP", "RTP", "SDP", "DataChannel"]),

    module("Incidents", ["Primitives", "Cryptography", "JSON"]),
    module("Identity", ["Primitives", "Cryptography", "JSON", "Incidents"]),
    module("Interchange", ["Primitives", "JSON", "Incidents"]),
    module("Archive", ["Primitives", "Cryptography", "JSON", "RTP", "Incidents"]),

    // Floor 3: sockets, threads and disks
    module("Sockets", ["Primitives", "CSystemCalls"]),
    module(
      "MediaServer",
      [
        "Primitives", "STUN", "ICE", "DTLS", "RTP", "SDP", "SRTP", "DataChannel", "Relay", "PeerSession", "Sockets",
        "CSystemCalls",
      ]),

    // Our own client: the demo caller and the load generator
    module(
      "MediaClient",
      [
        "Primitives", "ICE", "DTLS", "RTP", "SDP", "SRTP", "DataChannel", "PeerSession", "Sockets", "CSystemCalls",
        "CLibAV",
        .product(name: "Histogram", package: "hdrhistogram-swift"),
      ]),

    module(
      "Storage",
      ["Primitives", "Cryptography", "JSON", "Incidents", .product(name: "GRDB", package: "GRDB.swift")]),

    // What FFmpeg does with recordings: files, stills, joined and composed films
    module("MediaFiles", ["Primitives", "Archive", "CLibAV"]),
    // The threads between the relay's rings and the archive's folders
    module(
      "Recorder",
      [
        "Primitives", "Cryptography", "JSON", "RTP", "Relay", "Incidents", "Archive", "MediaFiles", "CSystemCalls",
      ]),

    // All that the server says to other systems: HTTP, mail, text messages, webhooks
    module(
      "Outgoing",
      ["Primitives", "Cryptography", "JSON", "Incidents", "Storage", "CCurl", "CQREncode"]),

    // Floor 4
    module(
      "ControlRoom",
      [
        "Primitives", "Cryptography", "JSON", "Incidents", "Identity", "Interchange", "Archive", "MediaFiles",
        "Recorder", "Storage", "Outgoing", "MediaServer",
      ]),

    // Floor 5
    module(
      "Gateway",
      [
        "Primitives", "Cryptography", "JSON", "Incidents", "Identity", "Interchange", "Archive", "Recorder",
        "Storage", "Outgoing", "MediaServer", "ControlRoom",
        "CZlib",
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HummingbirdTLS", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOWebSocket", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      resources: [.copy("Web")]),

    // Floor 6
    .executableTarget(
      name: "Sightline",
      dependencies: [
        "Primitives", "Cryptography", "JSON", "Incidents", "Identity", "DTLS", "SDP", "SRTP", "Relay", "Sockets",
        "Archive", "MediaFiles", "Recorder", "Storage", "Outgoing", "MediaServer", "MediaClient", "ControlRoom",
        "Gateway",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      resources: [.copy("Resources/street.webm")],
      swiftSettings: strict),

    // Tests
    tests("ArchitectureTests", []),
    tests("PrimitivesTests", ["Primitives", "Cryptography"]),
    tests("JSONTests", ["Primitives", "JSON"]),
    tests("IncidentsTests", ["Primitives", "Cryptography", "JSON", "Incidents"]),
    tests("IdentityTests", ["Primitives", "Cryptography", "JSON", "Incidents", "Identity"]),
    tests("InterchangeTests", ["Primitives", "JSON", "Incidents", "Interchange"]),
    tests(
      "StorageTests",
      ["Primitives", "Cryptography", "JSON", "Incidents", "Storage", .product(name: "GRDB", package: "GRDB.swift")]),
    tests(
      "OutgoingTests",
      ["Primitives", "Cryptography", "JSON", "Incidents", "Storage", "Outgoing", "COpenSSL"]),
    tests(
      "ControlRoomTests",
      [
        "Primitives", "Cryptography", "JSON", "Incidents", "Identity", "Archive", "MediaFiles", "Recorder", "Storage",
        "MediaServer", "ControlRoom",
      ]),
    tests("STUNTests", ["Primitives", "Cryptography", "STUN"]),
    tests("ICETests", ["Primitives", "Cryptography", "STUN", "ICE"]),
    tests("DTLSTests", ["Primitives", "DTLS", "COpenSSL"]),
    tests("SRTPTests", ["Primitives", "Cryptography", "SRTP"]),
    tests("RTPTests", ["Primitives", "RTP"]),
    tests("CongestionControlTests", ["Primitives", "RTP", "CongestionControl"]),
    tests("SDPTests", ["Primitives", "SDP"]),
    tests("DataChannelTests", ["Primitives", "DataChannel", "SimulationSupport"]),
    tests("ArchiveTests", ["Primitives", "Cryptography", "JSON", "RTP", "Incidents", "Archive"]),
    tests("MediaFilesTests", ["Primitives", "RTP", "Archive", "MediaFiles"]),
    tests(
      "RecorderTests",
      [
        "Primitives", "Cryptography", "JSON", "RTP", "SRTP", "Relay", "Incidents", "Archive", "MediaFiles", "Recorder",
      ]),
    tests("RelayTests", ["Primitives", "RTP", "SRTP", "CongestionControl", "Relay"]),
    .target(
      name: "SimulationSupport",
      dependencies: ["Primitives", "ICE", "DTLS", "SRTP", "RTP", "DataChannel", "PeerSession"],
      path: "Tests/SimulationSupport", swiftSettings: strict),
    tests(
      "PeerSessionTests",
      [
        "Primitives", "STUN", "ICE", "DTLS", "SRTP", "RTP", "DataChannel", "PeerSession", "SimulationSupport",
      ]),
    tests(
      "SimulationTests",
      ["Primitives", "ICE", "SRTP", "RTP", "CongestionControl", "PeerSession", "Relay", "SimulationSupport"]),
    tests("SocketsTests", ["Primitives", "Sockets", "CSystemCalls"]),
    tests("MediaClientTests", ["Primitives", "DTLS", "RTP", "SDP", "SRTP", "MediaServer", "MediaClient"]),
    tests(
      "MediaServerTests",
      [
        "Primitives", "DTLS", "DataChannel", "RTP", "SDP", "PeerSession", "MediaServer", "MediaClient",
        "SimulationSupport",
      ]),
    tests(
      "GatewayTests",
      [
        "Primitives", "Cryptography", "JSON", "Incidents", "Identity", "Storage", "MediaServer", "ControlRoom",
        "Gateway",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]),
    .target(
      name: "FuzzTargets",
      dependencies: [
        "Primitives", "Cryptography", "STUN", "ICE", "DTLS", "SRTP", "RTP", "SDP", "DataChannel", "JSON",
        "Incidents", "Interchange", "Archive", "Gateway",
      ],
      path: "Tests/Fuzz/Targets", swiftSettings: strict),
    .testTarget(
      name: "FuzzRegressionTests", dependencies: ["Primitives", "FuzzTargets"], path: "Tests/Fuzz/Regression",
      swiftSettings: strict),
  ]
)

// `make sanitize-…` and `make fuzz` build floors 0 to 3 alone: nothing there stands on other packages but for a
// histogram, so that all of it is instrumented in minutes. Of the gateway only the parsers of tokens and messages are left.
let isFuzzing = Context.environment["SIGHTLINE_FUZZ"] != nil
if isFuzzing || Context.environment["SIGHTLINE_CORES"] != nil {
  package.dependencies = [
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ]
  package.products = []
  package.targets.removeAll { ["Gateway", "GatewayTests", "Sightline"].contains($0.name) }
  package.targets.append(
    .target(
      name: "Gateway", dependencies: ["Primitives", "Cryptography", "MediaServer"],
      exclude: ["Gateway.docc", "Web"],
      sources: [
        "Access/AccessToken.swift", "Access/CompactJWS.swift", "Access/TokenAuthority.swift", "Access/UnixTime.swift",
        "GatewayConfiguration.swift", "WebSocket/ClientMessage.swift",
      ],
      swiftSettings: strict))
}
if isFuzzing {
  package.dependencies = []
  package.targets.removeAll {
    $0.isTest
      || [
        "MediaClient", "MediaFiles", "Recorder", "Storage", "Outgoing", "ControlRoom",
      ].contains($0.name)
  }
  for target in package.targets where target.type == .regular {
    target.swiftSettings?.append(.unsafeFlags(["-sanitize=fuzzer,address"]))
  }
  package.products = [.executable(name: "Fuzz", targets: ["Fuzz"])]
  package.targets.append(
    .executableTarget(
      name: "Fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Runner",
      swiftSettings: strict + [.unsafeFlags(["-sanitize=fuzzer,address", "-parse-as-library"])],
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]))
}
