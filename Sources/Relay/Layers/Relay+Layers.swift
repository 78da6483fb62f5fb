import Primitives

// The layers of a source, poorest first.

extension Relay {
  /// What a source can be shown as, poorest first; empty before anything was measured.
  ///
  /// Encodings in the order of their rates, spatial layers within each, temporal layers within those; what costs no more
  /// than a better one before it is left out. So is a larger picture at a quarter of its rate: a smaller one that moves
  /// shows more, and costs no keyframe to come back from.
  func ladder(of source: UnsafeMutablePointer<Source>, now: MonotonicTime) -> [LayerRate] {
    var encodings: [(handle: StreamHandle, rate: Int)] = []
    for named in source.pointee.streams {
      let stream = streams[unchecked: named.handle.index]
      guard now - stream.pointee.lastPacketAt < Self.layerLifetime, stream.pointee.rate.bitsPerSecond > 0 else {
        continue
      }
      encodings.append((named.handle, stream.pointee.rate.bitsPerSecond))
    }
    encodings.sort { $0.rate < $1.rate }
    var ladder: [LayerRate] = []
    for encoding in encodings {
      let layers = streams[unchecked: encoding.handle.index].pointee.layers
      for spatial in 0...layers.spatial {
        let slowest = ladder.isEmpty ? 0 : max(1, layers.temporal) - 1
        for temporal in slowest...layers.temporal {
          let payload = layers.bitsPerSecond(spatial: spatial, temporal: temporal)
          let rate = payload + payload * Self.overheadShare / 100
          if let last = ladder.last, rate <= last.bitsPerSecond { continue }
          guard rate > 0 else { continue }
          ladder.append(
            LayerRate(
              layer: Layer(stream: encoding.handle, spatial: spatial, temporal: temporal), bitsPerSecond: rate))
        }
      }
    }
    return ladder
  }

  /// An encoding that sends nothing for this long is no longer offered: shorter than ``stallLimit``, since others are there.
  static var layerLifetime: TimeInterval64 { .milliseconds(1_000) }
  /// Headers and protection, in hundredths of the payload, for packets of common size.
  private static var overheadShare: Int { 5 }

  /// Up to where a slot forwards a stream to show a layer of it.
  func cut(for layer: Layer) -> LayerCut {
    let layers = streams[unchecked: layer.stream.index].pointee.layers
    guard layer.spatial < layers.spatial || layer.temporal < layers.temporal else { return .all }
    return LayerCut(
      spatial: layer.spatial < layers.spatial ? layer.spatial : .max,
      temporal: layer.temporal < layers.temporal ? layer.temporal : .max)
  }

  /// The best layer that a viewer wants who asks for pictures of `height`: the smallest that is not smaller.
  func wanted(_ height: UInt16, of ladder: [LayerRate]) -> Int? {
    guard height > 0 else { return nil }
    for (place, rate) in ladder.enumerated() {
      guard self.height(of: rate.layer) >= height else { continue }
      // All temporal layers of that size.
      let isSame = { (other: LayerRate) in
        other.layer.stream == rate.layer.stream && other.layer.spatial == rate.layer.spatial
      }
      return ladder.lastIndex(where: isSame) ?? place
    }
    return nil
  }

  /// Pixels; a spatial layer has half the height of the next one.
  private func height(of layer: Layer) -> UInt16 {
    let stream = streams[unchecked: layer.stream.index]
    guard stream.pointee.height > 0 else { return .max }
    return stream.pointee.height
      >> UInt16(stream.pointee.layers.spatial - min(layer.spatial, stream.pointee.layers.spatial))
  }

  /// The layers that a source sends, poorest first.
  package func layers(of source: SourceHandle, now: MonotonicTime) -> [LayerStatus] {
    guard let entry = sources.find(Int(source.index)), entry.pointee.kind == .video else { return [] }
    return ladder(of: entry, now: now).map { rate in
      let stream = streams[unchecked: rate.layer.stream.index]
      let shift = Int(stream.pointee.layers.spatial) - Int(rate.layer.spatial)
      return LayerStatus(
        rid: entry.pointee.streams.first { $0.handle == rate.layer.stream }?.rid, spatial: Int(rate.layer.spatial),
        temporal: Int(rate.layer.temporal), bitsPerSecond: rate.bitsPerSecond,
        width: Int(stream.pointee.width) >> max(0, shift), height: Int(stream.pointee.height) >> max(0, shift))
    }
  }
}
