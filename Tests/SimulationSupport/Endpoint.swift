import DTLS
import DataChannel
import ICE
import PeerSession
import Primitives
import SRTP

/// A ``PeerSession`` with a log of what it told, and addresses at which the simulated network reaches it.
package final class Endpoint {
  package let session: PeerSession
  package private(set) var events: [(time: MonotonicTime, event: PeerEvent)] = []
  /// How often datagrams were rejected.
  package private(set) var rejections = 0
  /// Called with every decrypted RTP packet.
  package var onRTP: (UnsafeRawBufferPointer, MonotonicTime) -> Void = { _, _ in }
  /// Called with every decrypted RTCP datagram.
  package var onRTCP: (UnsafeRawBufferPointer, MonotonicTime) -> Void = { _, _ in }
  /// Whether a datagram is lost just before it arrives.
  package var loses: ([UInt8]) -> Bool = { _ in false }
  /// Called with every event.
  package var onEvent: (PeerEvent, MonotonicTime) -> Void = { _, _ in }
  private var noted = MonotonicTime.zero

  package init(_ configuration: PeerSessionConfiguration, now: MonotonicTime) {
    session = PeerSession(configuration, now: now)
  }

  package func receive(_ arrival: SimulatedNetwork.Arrival, now: MonotonicTime) {
    guard !loses(arrival.bytes) else { return }
    var bytes = arrival.bytes
    bytes.withUnsafeMutableBytes { buffer in
      switch session.receive(buffer, on: arrival.path, now: now) {
      case .rtp(let length):
        noteTraffic(on: arrival.path, now: now)
        onRTP(UnsafeRawBufferPointer(rebasing: buffer[..<length]), now)
      case .rtcp(let length):
        noteTraffic(on: arrival.path, now: now)
        onRTCP(UnsafeRawBufferPointer(rebasing: buffer[..<length]), now)
      case .consumed: break
      case .rejected: rejections += 1
      }
    }
  }

  /// Sends what the session has to say and logs the rest.
  package func drain(into network: inout SimulatedNetwork, now: MonotonicTime) {
    while let output = session.poll() {
      switch output {
      case .transmit(let bytes, let path): network.send(bytes, from: path.local, to: path.remote, now: now)
      case .event(let event):
        events.append((now, event))
        onEvent(event, now)
      }
    }
  }

  /// Protects and sends one RTP packet, with `rolloverCounter` as the sender counts it; false when there is no way.
  @discardableResult
  package func sendRTP(
    _ packet: [UInt8], headerLength: Int = 12, rolloverCounter: UInt32 = 0, into network: inout SimulatedNetwork,
    now: MonotonicTime
  ) -> Bool {
    guard let outbound = session.outbound, let path = session.selectedPath else { return false }
    var bytes = packet + [UInt8](repeating: 0, count: SRTPProfile.maximumOverhead)
    let length = bytes.withUnsafeMutableBytes { buffer -> Int in
      guard let base = buffer.baseAddress else { return 0 }
      return outbound.protectRTP(
        packet: base, headerLength: headerLength, payload: base + headerLength,
        payloadLength: packet.count - headerLength, rolloverCounter: rolloverCounter)
    }
    guard length > 0 else { return false }
    network.send(Array(bytes.prefix(length)), from: path.local, to: path.remote, now: now)
    return true
  }

  private func noteTraffic(on path: TransportPath, now: MonotonicTime) {
    guard now - noted >= .milliseconds(500) else { return }
    noted = now
    session.noteTraffic(on: path, now: now)
  }
}

extension Endpoint {
  package var isConnected: Bool { events.contains { if case .connected = $0.event { true } else { false } } }

  package var closeReason: PeerCloseReason? {
    for entry in events { if case .closed(let reason) = entry.event { return reason } }
    return nil
  }

  package var iceStates: [ICEState] {
    events.compactMap { if case .iceStateChanged(let state) = $0.event { state } else { nil } }
  }

  package var messages: [DataChannelMessage] {
    events.compactMap { if case .channelMessage(_, let message) = $0.event { message } else { nil } }
  }

  package var openedChannels: [(DataChannelID, DataChannelParameters)] {
    events.compactMap { if case .channelOpened(let id, let parameters) = $0.event { (id, parameters) } else { nil } }
  }
}
