import DTLS
import Primitives
import SDP

/// An offer of ours with everything that its session will need once the answer is there.
package struct ClientOffer: Sendable {
  /// What the client wants.
  package enum Purpose: Sendable {
    /// Sends one audio and one video stream.
    case publish(MediaCodec)
    /// Receives that many pairs of audio and video.
    case watch(slots: Int)
  }

  package let description: SessionDescription
  let endpoint: ClientEndpoint

  /// Binds a socket on `address` and writes the offer.
  package init(
    _ purpose: Purpose, hasDataChannels: Bool = false, on address: IPAddress, identity: DTLSIdentity
  ) throws {
    endpoint = try ClientEndpoint(on: address, identity: identity)
    description = endpoint.offer(purpose, hasDataChannels: hasDataChannels)
  }
}
