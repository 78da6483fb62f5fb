/// Where a client's messages go: a WebSocket or a data channel.
package protocol MetadataSink: AnyObject, Sendable {
  /// Sends one message; `taken` is called once with whether the carrier took it off our hands.
  ///
  /// Must not block and must keep the order of calls.
  func send(_ text: String, taken: @escaping @Sendable (Bool) -> Void)

  /// Ends the carrier, telling the client why.
  func close(_ refusal: Refusal)
}
