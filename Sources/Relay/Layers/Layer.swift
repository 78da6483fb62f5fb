/// One way to show a video source: one of its encodings, up to a spatial and a temporal layer.
///
/// Simulcast (RFC 8853) gives a source several streams; a scalable stream (VP9, AV1) carries several spatial layers; all
/// may carry temporal layers, which halve the frame rate when left out.
package struct Layer: Hashable, BitwiseCopyable, Sendable {
  package var stream: StreamHandle
  /// Highest spatial layer forwarded, 0 without scalability.
  package var spatial: UInt8
  /// Highest temporal layer forwarded, 0 without temporal layers.
  package var temporal: UInt8

  package init(stream: StreamHandle, spatial: UInt8, temporal: UInt8) {
    self.stream = stream
    self.spatial = spatial
    self.temporal = temporal
  }
}

/// What a viewer's slot shows of a video source, from nothing to the best.
package enum Rung: Hashable, BitwiseCopyable, Sendable {
  /// No picture: sound, text and location go on.
  case audioOnly
  /// The last keyframe every ``Relay/stillInterval``.
  case stills
  case layer(Layer)
}
