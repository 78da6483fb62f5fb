import CZlib

/// Compression of what pages load (RFC 1952), done once at the start: a caller's phone may have a very thin line.
package enum Gzip {
  /// `bytes` in the gzip format, at the best ratio that zlib has; nil when it does not make them smaller.
  package static func compress(_ bytes: [UInt8]) -> [UInt8]? {
    var stream = z_stream()
    guard !bytes.isEmpty, sl_gzip_start(&stream, Z_BEST_COMPRESSION) == Z_OK else { return nil }
    defer { deflateEnd(&stream) }
    var input = bytes
    var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, uLong(bytes.count))))
    let written: Int? = input.withUnsafeMutableBufferPointer { source in
      output.withUnsafeMutableBufferPointer { target in
        stream.next_in = source.baseAddress
        stream.avail_in = UInt32(source.count)
        stream.next_out = target.baseAddress
        stream.avail_out = UInt32(target.count)
        guard deflate(&stream, Z_FINISH) == Z_STREAM_END else { return nil }
        return target.count - Int(stream.avail_out)
      }
    }
    guard let written, written < bytes.count else { return nil }
    return Array(output.prefix(written))
  }
}
