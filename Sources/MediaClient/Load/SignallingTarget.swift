import ICE
import SDP

/// One session of a load run.
package struct LoadParticipant: Hashable, Sendable, CustomStringConvertible {
  package enum Role: Hashable, Sendable {
    case caller
    /// Counted from 1 among the viewers of one caller.
    case viewer(Int)
  }

  /// The number of the caller that it is, or that it watches, from 1.
  package let caller: Int
  package let role: Role

  package init(caller: Int, role: Role) {
    self.caller = caller
    self.role = role
  }

  package var description: String {
    switch role {
    case .caller: "caller \(caller)"
    case .viewer(let number): "viewer \(number) of caller \(caller)"
    }
  }
}

/// What offer and answer agreed on, from our side.
package struct SignalledSession: Sendable {
  package var negotiated: NegotiatedSession
  package var transport: Transport

  /// What media go through.
  package enum Transport: Sendable {
    /// ICE, DTLS and SRTP. Who offers controls (RFC 8445 §6.1.1).
    case webRTC(ICERole)
    /// The bare loop: datagrams without any of that.
    case bare(BareHello)
  }

  package init(negotiated: NegotiatedSession, role: ICERole) {
    self.init(negotiated: negotiated, transport: .webRTC(role))
  }

  package init(negotiated: NegotiatedSession, transport: Transport) {
    self.negotiated = negotiated
    self.transport = transport
  }
}

/// A server under load, as far as signalling goes: how sessions come about differs, their media does not.
package protocol SignallingTarget: Sendable {
  /// For the report.
  var name: String { get }

  /// Negotiates one session.
  ///
  /// A caller joins before its viewers do. `codec` is what callers send.
  func join(
    _ participant: LoadParticipant, from endpoint: ClientEndpoint, codec: MediaCodec
  ) async throws -> SignalledSession

  /// Ends a session; failures do not matter any more.
  func leave(_ participant: LoadParticipant) async
}

extension SignallingTarget {
  /// Offers, and lets `exchange` fetch the answer: the usual way round.
  package func negotiate(
    _ participant: LoadParticipant, from endpoint: ClientEndpoint, codec: MediaCodec,
    exchange: (String) async throws -> String
  ) async throws -> SignalledSession {
    let offer: SessionDescription
    switch participant.role {
    case .caller: offer = endpoint.offer(.publish(codec))
    case .viewer: offer = endpoint.offer(.watch(slots: 1))
    }
    let answer = try SessionDescription(parsing: await exchange(offer.serialize()))
    return SignalledSession(negotiated: try NegotiatedSession(offer: offer, answer: answer), role: .controlling)
  }
}
