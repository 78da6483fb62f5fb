import Cryptography
import Primitives

/// `VERIFY.txt`: how to check an evidence package, with our own program and without it.
package struct VerificationText: Sendable {
  private let listing: PackageListing
  private let key: Ed25519PublicKey

  package init(_ listing: PackageListing, key: Ed25519PublicKey) {
    self.listing = listing
    self.key = key
  }

  package var text: String {
    ([heading, contents, byProgram, byHand] + (listing.isEncrypted ? [encryption] : []) + notes)
      .joined(separator: "\n") + "\n"
  }

  private var heading: String {
    let approval =
      listing.approved.map { "Approved by   \($0.actor.name) (\($0.actor.id)), \($0.time.text(fractionDigits: 0))\n" }
      ?? ""
    return """
      EVIDENCE PACKAGE

      Incident      \(listing.incident) of \(Self.line(listing.agency))
      Export        \(listing.export)
      Wanted by     \(Self.line(listing.requested.actor.name)) (\(listing.requested.actor.id)), \
      \(listing.requested.time.text(fractionDigits: 0))
      Because       \(Self.line(listing.requested.reason ?? "-"))
      \(approval)Made          \(listing.madeAt.text(fractionDigits: 0))
      Archive       \(state)
      Public key    \(Hex.encode(key.bytes))
      Fingerprint   \(PublicKeyText.fingerprint(key))

      The key in this package proves only that nothing was changed since the package was made. To know who made it, compare
      the fingerprint with the one that the agency publishes or tells you by another way.

      """
  }

  private var state: String {
    switch listing.archive {
    case .none: "there is no recording of this incident"
    case .sealed: "sealed: the recording was ended and signed"
    case .unsealed: "not sealed: the recording went on when it was packed, or the server had died"
    case .unreadable: "its manifest cannot be read; the folder is inside as it lies"
    }
  }

  private var contents: String {
    """
    WHAT IS INSIDE
      archive/         the original recording, byte for byte, with its manifest, journal and public key
      journal.json     everything that happened, whole; each event carries the hash of the one before
      journal.html     the same for reading and printing
      joined/          a playable film of each stream: a copy, made for convenience
      composite.mp4    all streams side by side on one clock: a copy, made for convenience
      redacted/        copies with parts hidden, where asked for; redaction.json says what, by whom and why
      stills/, files/  single pictures, and what was sent into the incident
      package.json     every file here with its length and SHA-256
      package.json.sig the signature over package.json
      key.pem          the public key that it was signed with

    """
  }

  private var byProgram: String {
    // Keys are changed from time to time: an archive may have been sealed with an earlier one, or with several.
    let keys = listing.sealedBy.isEmpty ? [key] : listing.sealedBy
    return """
      CHECK THE ARCHIVE WITH SIGHTLINE
        sightline verify archive\(keys.map { " --key \(Hex.encode($0.bytes))" }.joined())

      """
  }

  private var byHand: String {
    """
    CHECK BY HAND (coreutils, openssl 3, python 3)
      1. The signature over the list of files:
           openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in package.json -sigfile package.json.sig
      2. Every file against the list:
           python3 -c 'import json; [print(f["sha256"] + "  " + f["path"]) for f in json.load(open("package.json"))["files"]]' \\
             | sha256sum --check --quiet && echo all files are as they were signed
      3. A manifest's line against the next: the SHA-256 of a line, without its end, is `previous` in the line after it:
           head -n 1 archive/manifest.jsonl | tr -d '\\n' | sha256sum

    """
  }

  private var encryption: String {
    """
    ENCRYPTION
      The recording was kept encrypted (AES-256-GCM). archive/ holds it as it was stored: its hashes are those of the
      encrypted bytes, so that it can be verified without a key, and cannot be played without the agency's. The films in
      joined/, composite.mp4, stills/ and late/ were decrypted for this package. Keep it accordingly.

    """
  }

  private var notes: [String] {
    guard !listing.notes.isEmpty else { return [] }
    return ["NOTES\n" + listing.notes.map { "  - \(Self.line($0))" }.joined(separator: "\n") + "\n"]
  }

  /// Foreign text on one line, without control characters.
  private static func line(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : $0 }))
  }
}
