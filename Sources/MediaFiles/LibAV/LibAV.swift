import CLibAV

/// What all calls into FFmpeg share.
enum LibAV {
  /// FFmpeg writes to the standard error stream whatever a foreign file makes it complain about; errors say it instead.
  private static let settings: Void = {
    av_log_set_level(AV_LOG_QUIET)
    av_max_alloc(maximumAllocation)
  }()

  /// A damaged file makes FFmpeg ask for absurd amounts of memory: no single allocation is larger, in bytes.
  private static let maximumAllocation = 256 << 20

  /// Called before anything else of FFmpeg.
  static func prepare() {
    _ = settings
  }

  /// Throws what a negative `result` means; `doing` ends the sentence "Cannot …".
  @discardableResult
  static func check(
    _ result: Int32, _ code: MediaFileError.Code, _ doing: @autoclosure () -> String
  ) throws(MediaFileError) -> Int32 {
    guard result < 0 else { return result }
    throw MediaFileError(
      result == SL_AVERROR_ENOMEM ? .library : code, "Cannot \(doing()): \(message(result)).")
  }

  /// FFmpeg's words for an error.
  static func message(_ result: Int32) -> String {
    var text = [CChar](repeating: 0, count: Int(AV_ERROR_MAX_STRING_SIZE))
    av_strerror(result, &text, text.count)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  static func outOfMemory() -> MediaFileError {
    MediaFileError(.library, "Out of memory.")
  }
}

/// Owns an `AVPacket`.
final class PacketHandle {
  let pointer: UnsafeMutablePointer<AVPacket>

  init() throws(MediaFileError) {
    guard let packet = av_packet_alloc() else { throw LibAV.outOfMemory() }
    pointer = packet
  }

  deinit {
    var packet: UnsafeMutablePointer<AVPacket>? = pointer
    av_packet_free(&packet)
  }

  /// Gives the packet a copy of `bytes`.
  func fill(_ bytes: [UInt8]) throws(MediaFileError) {
    av_packet_unref(pointer)
    guard bytes.count <= Int(Int32.max) - Int(SL_AV_INPUT_BUFFER_PADDING_SIZE) else {
      throw MediaFileError(.frame, "A frame of \(bytes.count) bytes is too large.")
    }
    try LibAV.check(av_new_packet(pointer, Int32(bytes.count)), .library, "keep a frame")
    bytes.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { pointer.pointee.data.update(from: base, count: source.count) }
    }
  }

  func clear() {
    av_packet_unref(pointer)
  }
}
