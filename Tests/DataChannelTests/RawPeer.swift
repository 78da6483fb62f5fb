import DataChannel
import Primitives

/// A peer that speaks SCTP properly and above it whatever a test wants, joined to a transport by a perfect link.
final class RawPeer {
  let stack = SCTPStack()
  let transport: DataChannelTransport
  let association: SCTPAssociation
  private(set) var outputs: [DataChannelTransport.Output] = []
  private(set) var events: [SCTPEvent] = []
  private(set) var now = MonotonicTime(nanoseconds: 1_000_000_000)
  /// Nil when the association does not come up.
  ///
  /// The raw peer is the DTLS client.
  init?(configure: (SCTPStack) -> DataChannelTransport = { DataChannelTransport(stack: $0, role: .dtlsServer) }) {
    SimulatedWallClock.now = now
    stack.advance(to: now)
    transport = configure(stack)
    guard
      let association = try? SCTPAssociation(
        stack: stack, localPort: 5000, remotePort: 5000, maximumPacketSize: 1150)
    else { return nil }
    self.association = association
    transport.start(now: now)
    run()
    guard transport.state == .connected else { return nil }
  }

  deinit {
    SimulatedWallClock.now = nil
  }

  /// Sends one user message, with whatever stream and payload protocol.
  func send(_ bytes: [UInt8], stream: UInt16, _ ppid: PayloadProtocol) throws {
    try association.send(bytes, stream: stream, ppid: ppid.rawValue, delivery: .init())
  }

  /// Runs two seconds.
  func run() {
    for _ in 0..<100 {
      exchange()
      now = now + .milliseconds(20)
      SimulatedWallClock.now = now
      transport.handleTimeout(now: now)
    }
  }

  /// Streams that the transport has reset.
  var resetStreams: [UInt16] {
    events.flatMap { (event) -> [UInt16] in
      if case .incomingReset(let streams) = event { streams } else { [] }
    }
  }

  private func exchange() {
    for _ in 0..<10_000 {
      var isQuiet = true
      while let packet = association.mailbox.nextPacket() {
        isQuiet = false
        packet.withUnsafeBytes { transport.receive($0, now: now) }
      }
      while let output = transport.poll() {
        isQuiet = false
        if case .transmit(let packet) = output {
          packet.withUnsafeBytes { association.receive($0) }
        } else {
          outputs.append(output)
        }
      }
      events += association.mailbox.takeEvents()
      if isQuiet { return }
    }
  }
}
