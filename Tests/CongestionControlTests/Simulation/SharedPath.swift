import Primitives

/// Flows over bottlenecks, in steps of a millisecond: one seed, one result.
final class SharedPath {
  var bottlenecks: [Bottleneck]
  var media: [MediaFlow]
  var tcp: [TCPFlow]
  private(set) var now = MonotonicTime.zero
  /// On the way to a receiver, in order of arrival for each flow.
  private var arriving: [(packet: SimulatedPacket, at: MonotonicTime)] = []

  init(_ bottlenecks: [Bottleneck], media: [MediaFlow], tcp: [TCPFlow] = []) {
    self.bottlenecks = bottlenecks
    self.media = media
    self.tcp = tcp
  }

  func run(seconds: Double) {
    let end = now + .seconds(seconds)
    while now < end { step() }
  }

  private func step() {
    now = now + .milliseconds(1)
    for (index, flow) in media.enumerated() {
      for packet in flow.send(flow: index, now: now) { enter(packet, flow.path[0]) }
    }
    for (index, flow) in tcp.enumerated() {
      for packet in flow.send(flow: -1 - index, now: now) { enter(packet, flow.path[0]) }
    }
    for index in bottlenecks.indices { leave(index) }
    deliver()
    for (index, flow) in media.enumerated() {
      for packet in flow.receive(flow: index, now: now) {
        if let path = flow.feedbackPath { enter(packet, path) }
      }
    }
  }

  private func enter(_ packet: SimulatedPacket, _ index: Int) {
    guard !bottlenecks[index].enqueue(packet, now: now), packet.feedback == nil else { return }
    if packet.flow >= 0 { media[packet.flow].lose(packet) } else { tcp[-1 - packet.flow].lose(packet, at: now) }
  }

  private func leave(_ index: Int) {
    for (packet, time) in bottlenecks[index].advance(to: now) {
      if let feedback = packet.feedback {
        media[packet.flow].hear(feedback, at: time + media[packet.flow].delay)
        continue
      }
      let path = packet.flow >= 0 ? media[packet.flow].path : tcp[-1 - packet.flow].path
      let delay = packet.flow >= 0 ? media[packet.flow].delay : tcp[-1 - packet.flow].delay
      if packet.hop < path.count { enter(packet, path[packet.hop]) } else { arriving.append((packet, time + delay)) }
    }
  }

  private func deliver() {
    var kept: [(packet: SimulatedPacket, at: MonotonicTime)] = []
    for (packet, time) in arriving {
      guard time <= now else {
        kept.append((packet, time))
        continue
      }
      if packet.flow >= 0 {
        media[packet.flow].arrive(packet, at: time)
      } else {
        tcp[-1 - packet.flow].arrive(packet, at: time)
      }
    }
    arriving = kept
  }
}
