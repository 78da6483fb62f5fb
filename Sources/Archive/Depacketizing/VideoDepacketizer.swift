import Primitives
import RTP

/// Joins the payloads of one picture, which come in order and without a hole.
///
/// Begin, append each payload, finish. After an error the picture is lost, and the next one begins anew.
protocol VideoDepacketizer: Sendable {
  mutating func begin()

  /// Adds the next payload, which is not empty.
  mutating func append(_ payload: UnsafeRawBufferPointer) throws(DepacketizingError)

  /// The picture; throws when it is not whole.
  mutating func finish() throws(DepacketizingError) -> CodedPicture
}

/// Limits of what a sender can make us keep.
package enum DepacketizingLimits {
  /// Bytes of one picture.
  package static let maximumFrameBytes = 4 * 1_024 * 1_024
  /// Bytes of one parameter set or sequence header.
  static let maximumParameterSetBytes = 1_024
  /// NAL units, OBUs or layers in one picture.
  static let maximumUnits = 1_024
}

/// Why packets do not make a picture.
enum DepacketizingError: Error, Equatable, Sendable {
  /// The payload is none of its codec, or of a mode that was not negotiated.
  case malformed
  /// The picture's beginning or end is missing.
  case incomplete
  /// It goes past one of ``DepacketizingLimits``.
  case tooLarge
}

/// One picture in the form in which files hold it.
struct CodedPicture: Equatable, Sendable {
  var bytes: [UInt8]
  /// What a decoder can start with here; nil for a picture that needs others.
  var keyframe: PictureFormat?
}

/// What a keyframe says of the pictures from it on.
struct PictureFormat: Equatable, Sendable {
  var codec: TrackFormat.Codec
  var width: Int
  var height: Int
}

extension VideoCodec {
  /// A depacketizer for a new stream.
  func makeDepacketizer() -> any VideoDepacketizer {
    switch self {
    case .h264: H264Depacketizer()
    case .vp8: VP8Depacketizer()
    case .vp9: VP9Depacketizer()
    case .av1: AV1Depacketizer()
    }
  }
}

extension [UInt8] {
  /// Appends within the limit of a picture.
  mutating func appendWithinFrame(_ bytes: some Collection<UInt8>) throws(DepacketizingError) {
    guard count + bytes.count <= DepacketizingLimits.maximumFrameBytes else { throw .tooLarge }
    append(contentsOf: bytes)
  }

  /// Lends the bytes, with the error of what is done with them.
  func lend<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withUnsafeBufferPointer { (bytes) throws(Failure) in try body(UnsafeRawBufferPointer(bytes)) }
  }

  /// Takes the bytes out, and keeps no memory of a picture that is gone.
  mutating func take() -> [UInt8] {
    let taken = self
    self = []
    return taken
  }
}
