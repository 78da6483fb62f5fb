/// The URIs that name RTP header extensions in `a=extmap` (RFC 8285 §5).
package enum HeaderExtensionURI {
  /// RFC 9143 §15.
  package static let mid = "urn:ietf:params:rtp-hdrext:sdes:mid"
  /// RFC 8852 §3.1.
  package static let rid = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
  /// RFC 8852 §3.2.
  package static let repairedRID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
  package static let absoluteSendTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
  /// draft-holmer-rmcat-transport-wide-cc-extensions-01 §2.
  package static let transportWideCC =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
  /// Client-to-mixer audio level (RFC 6464 §4).
  package static let audioLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
  /// Coordination of video orientation (3GPP TS 26.114 §7.4.5).
  package static let videoOrientation = "urn:3gpp:video-orientation"
  /// AV1 RTP specification, appendix A.
  package static let dependencyDescriptor =
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"

  /// The largest id that we accept: the one-byte form has ids 1 to 14 (RFC 8285 §4.2), and the relay writes only that.
  package static let maximumID: UInt8 = 14
}
