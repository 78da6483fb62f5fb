import Primitives
import Relay
import SimulationSupport

extension Simulator {
  /// Sends a message over a path, cut into datagrams as the kernel does it (UDP_SEGMENT).
  func send(_ message: EgressBuffer.Message, at memory: UnsafeRawPointer, over path: TransportPath) {
    for offset in stride(from: 0, to: Int(message.length), by: Int(message.segmentSize)) {
      let size = min(Int(message.segmentSize), Int(message.length) - offset)
      let start = memory + Int(message.offset) + offset
      network.send(
        Array(UnsafeRawBufferPointer(start: start, count: size)), from: path.local, to: path.remote, now: now)
    }
  }
}
