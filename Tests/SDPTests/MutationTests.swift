import Primitives
import SDP
import Testing

/// Whatever happens to a description on its way, it is parsed or refused; it never stops the process.
@Suite struct MutationTests {
  /// Uses a text in every way that the server does.
  private func swallow(_ text: String) {
    _ = try? TrickleFragment(parsing: text)
    guard let offer = try? SessionDescription(parsing: text) else { return }
    var random = RandomSource.seeded(1)
    var policy = AnswerPolicy()
    policy.sourceCodecPreference = [.h264, .vp8]
    guard let answer = try? SDPAnswerer(local: .server, policy: policy).answer(offer, random: &random) else { return }
    #expect((try? SessionDescription(parsing: answer.text)) == answer.description)
    _ = try? NegotiatedSession(offer: offer, answer: answer.description)
    _ = try? NegotiatedSession(offer: answer.description, answer: offer)
  }

  /// The walls only repeat what the `recvonly` offers hold.
  private static let names = (try? Fixture.names().filter { !$0.hasSuffix("wall") }) ?? []

  @Test(arguments: names)
  func deletedDuplicatedAndTruncatedLines(name: String) throws {
    let lines = try Fixture.text(name).split(separator: "\r\n").flatMap { $0.split(separator: "\n") }.map(String.init)
    // Descriptions repeat themselves: the first two lines of each kind are enough.
    var kinds: [Substring: Int] = [:]
    for index in lines.indices {
      let kind = lines[index].split { $0 == ":" || $0 == " " }.first ?? ""
      kinds[kind, default: 0] += 1
      guard kinds[kind, default: 0] <= 2 else { continue }
      var deleted = lines
      deleted.remove(at: index)
      var duplicated = lines
      duplicated.insert(lines[index], at: index)
      var cut = lines
      cut[index] = String(lines[index].prefix(lines[index].count / 2))
      var empty = lines
      empty[index] = lines[index].split(separator: ":").first.map { $0 + ":" } ?? ""
      var blank = lines
      blank[index] = lines[index].split(separator: ":").first.map { $0 + ":   " } ?? ""
      for variant in [deleted, duplicated, cut, empty, blank, Array(lines[...index])] {
        swallow(variant.joined(separator: "\r\n"))
      }
    }
  }

  @Test(arguments: names)
  func randomBytesInRandomPlaces(name: String) throws {
    let original = Array(try Fixture.text(name).utf8)
    var random = RandomSource.seeded(UInt64(original.count))
    for _ in 0..<20 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        switch UInt8.random(in: 0...3, using: &random) {
        case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &random)
        case 2: bytes.remove(at: index)
        default: bytes.insert(contentsOf: Array(" :;/=,~-9\n".utf8).shuffled(using: &random).prefix(2), at: index)
        }
      }
      swallow(String(decoding: bytes, as: UTF8.self))
    }
  }

  @Test func numbersAtAndBeyondTheirLimits() throws {
    let numbers = [
      "-1", "0", "127", "128", "255", "256", "65535", "65536", "4294967295", "4294967296",
      "18446744073709551616", "+5", "٣", "1e9", "",
    ]
    let offer = try Fixture.text("firefox-sendrecv")
    for prefix in [
      "a=sctp-port:", "a=max-message-size:", "a=extmap:", "a=ssrc:", "a=rtpmap:", "a=fmtp:", "a=rtcp-fb:",
      "a=ssrc-group:FID ", "m=video ",
    ] {
      let old = offer.split(separator: "\r\n").first { $0.hasPrefix(prefix) } ?? ""
      #expect(!old.isEmpty || prefix == "a=ssrc-group:FID ")
      for number in numbers {
        let value = old.dropFirst(prefix.count).split(separator: " ").dropFirst().joined(separator: " ")
        swallow(offer.replacingFirst(String(old), with: "\(prefix)\(number) \(value)"))
      }
    }
  }

  @Test func aLargeOfferIsAnsweredWithinItsLimits() throws {
    var random = RandomSource.seeded(5)
    let offer = SDPOfferBuilder.viewer(local: .client, slots: SDPLimits.maximumMediaSections / 2).offer(random: &random)
    #expect(try answer(offer.serialize()).session.slots.count == AnswerPolicy().maximumSlots)
  }
}
