import Primitives

/// A message of the Data Channel Establishment Protocol (RFC 8832 §5).
package enum DCEPMessage: Hashable, Sendable {
  case open(DataChannelParameters)
  case acknowledgement

  /// Why bytes are no message that we accept.
  package enum ParseError: Error, Hashable, Sendable {
    case truncated
    case trailingBytes
    case unknownMessageType(UInt8)
    case unknownChannelType(UInt8)
    case nameTooLong
    case nameNotUTF8
  }

  private static let openType: UInt8 = 0x03
  private static let acknowledgementType: UInt8 = 0x02
  private static let unorderedFlag: UInt8 = 0x80

  package init(parsing bytes: UnsafeRawBufferPointer) throws(ParseError) {
    var reader = ByteReader(bytes)
    guard let type = try? reader.readUInt8() else { throw .truncated }
    switch type {
    case Self.acknowledgementType: self = .acknowledgement
    case Self.openType: self = .open(try Self.parameters(from: &reader))
    default: throw .unknownMessageType(type)
    }
    guard reader.isAtEnd else { throw .trailingBytes }
  }

  /// The same, from an array.
  package init(parsing bytes: [UInt8]) throws(ParseError) {
    let result: Result<DCEPMessage, ParseError> = bytes.withUnsafeBytes { buffer in
      do throws(ParseError) {
        return .success(try DCEPMessage(parsing: buffer))
      } catch {
        return .failure(error)
      }
    }
    self = try result.get()
  }

  /// The bytes to send; parameters must have passed ``DataChannelParameters/validate()``.
  package func serialize() -> [UInt8] {
    var writer = ByteWriter()
    switch self {
    case .acknowledgement: writer.write(Self.acknowledgementType)
    case .open(let parameters):
      let (type, value) = parameters.reliability.channelType
      writer.write(Self.openType)
      writer.write(type | (parameters.isOrdered ? 0 : Self.unorderedFlag))
      writer.write(parameters.priority)
      writer.write(value)
      writer.write(UInt16(clamping: parameters.label.utf8.count))
      writer.write(UInt16(clamping: parameters.subprotocol.utf8.count))
      writer.write(parameters.label.utf8)
      writer.write(parameters.subprotocol.utf8)
    }
    return writer.bytes
  }

  private static func parameters(from reader: inout ByteReader) throws(ParseError) -> DataChannelParameters {
    guard let type = try? reader.readUInt8(), let priority = try? reader.readUInt16(),
      let value = try? reader.readUInt32(), let labelLength = try? reader.readUInt16(),
      let protocolLength = try? reader.readUInt16()
    else { throw .truncated }
    guard let reliability = DataChannelReliability(channelType: type & ~unorderedFlag, value: value) else {
      throw .unknownChannelType(type)
    }
    guard labelLength <= DataChannelLimits.maximumLabelLength,
      protocolLength <= DataChannelLimits.maximumProtocolLength
    else { throw .nameTooLong }
    let label = try text(from: &reader, length: Int(labelLength))
    let subprotocol = try text(from: &reader, length: Int(protocolLength))
    return DataChannelParameters(
      label: label, subprotocol: subprotocol, isOrdered: type & unorderedFlag == 0, reliability: reliability,
      priority: priority)
  }

  private static func text(from reader: inout ByteReader, length: Int) throws(ParseError) -> String {
    guard let bytes = try? reader.readSlice(length) else { throw .truncated }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw .nameNotUTF8 }
    return text
  }
}

extension DataChannelReliability {
  /// The channel type without its order bit, and the reliability parameter (RFC 8832 §5.1).
  fileprivate var channelType: (UInt8, UInt32) {
    switch self {
    case .reliable: (0x00, 0)
    case .maximumRetransmissions(let count): (0x01, count)
    case .maximumLifetime(let milliseconds): (0x02, milliseconds)
    }
  }

  fileprivate init?(channelType: UInt8, value: UInt32) {
    switch channelType {
    case 0x00: self = .reliable
    case 0x01: self = .maximumRetransmissions(value)
    case 0x02: self = .maximumLifetime(milliseconds: value)
    default: return nil
    }
  }
}

/// The payload protocol identifiers of data channels (RFC 8831 §8).
package enum PayloadProtocol: UInt32, Sendable {
  case control = 50
  case text = 51
  case binary = 53
  case emptyText = 56
  case emptyBinary = 57
}
