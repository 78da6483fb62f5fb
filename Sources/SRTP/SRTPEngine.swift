import COpenSSL

/// A started backend, from which contexts are made: one for each media thread, made when the thread starts.
///
/// Not Sendable: it and its contexts stay on the thread that made them.
package final class SRTPEngine {
  let backend: any SRTPBackend

  /// Which library this engine uses.
  package var kind: SRTPBackendKind { backend.kind }

  /// Starts `kind`; throws when it cannot run on this machine.
  package init(_ kind: SRTPBackendKind) throws(SRTPError) {
    switch kind {
    case .openSSL: backend = try OpenSSLBackend()
    case .libsrtp2: backend = try LibSRTP2Backend()
    case .ipsecMB:
      #if arch(x86_64)
        backend = try IPSecMBBackend()
      #else
        throw SRTPError(.backendUnavailable, "libipsec-mb is for x86-64: choose the openSSL backend")
      #endif
    }
  }

  /// The fastest backend that this machine allows: libipsec-mb, unless the processor lacks what it needs or OpenSSL is
  /// in FIPS mode, where only its provider may encrypt.
  package static func fastest() throws(SRTPError) -> SRTPEngine {
    let isFIPS = EVP_default_properties_is_fips_enabled(nil) == 1
    if !isFIPS, let engine = try? SRTPEngine(.ipsecMB) { return engine }
    return try SRTPEngine(.openSSL)
  }
}
