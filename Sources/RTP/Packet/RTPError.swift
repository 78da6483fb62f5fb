/// Why bytes from a peer were not accepted as RTP or RTCP.
///
/// Trivial, so that throwing it costs nothing on the packet path.
package enum RTPError: Error, Equatable, Sendable {
  /// The packet ends before a field that it announces.
  case truncated
  /// The version is not 2 (RFC 3550 §5.1).
  case unsupportedVersion
  /// The padding count is 0 or reaches into the header (RFC 3550 §5.1), or padding stands where it may not (§6.4.1).
  case invalidPadding
  /// A field has a value that its specification forbids.
  case malformed
  /// A valid but unreasonably large packet: it goes past one of our named limits.
  case limitExceeded
  /// A dependency descriptor refers to a structure that was not received (AV1 RTP specification, appendix A).
  case unknownStructure
}
