import Primitives
import Testing

import DTLS

@Suite struct HandshakeTests {
  @Test(arguments: DTLSSRTPProfile.allCases)
  func bothSidesExportTheSameKeys(profile: DTLSSRTPProfile) throws {
    let pair = try SimulatedPair(clientProfiles: [profile])
    pair.handshake()
    let parameters = try #require(pair.parameters)
    #expect(parameters.client == parameters.server)
    #expect(parameters.client.profile == profile)
    #expect(parameters.client.profileID == profile.rawValue)
    for key in [parameters.client.clientWriteKey, parameters.client.serverWriteKey] {
      #expect(key.count == profile.keyLength)
    }
    for salt in [parameters.client.clientSalt, parameters.client.serverSalt] {
      #expect(salt.count == profile.saltLength)
    }
    #expect(parameters.client.clientWriteKey != parameters.client.serverWriteKey)
    #expect(parameters.client.clientSalt != parameters.client.serverSalt)
  }

  @Test(arguments: [
    (DTLSSRTPProfile.aeadAES128GCM, 16, 12), (.aeadAES256GCM, 32, 12), (.aes128CMHMACSHA1_80, 16, 14),
    (.aes128CMHMACSHA1_32, 16, 14),
  ])
  func materialIsCutInTheOrderOfRFC5764(profile: DTLSSRTPProfile, key: Int, salt: Int) throws {
    let material = (0..<(2 * (key + salt))).map { UInt8($0) }
    let parameters = try #require(DTLSSRTPParameters(profile: profile, material: material))
    #expect(parameters.clientWriteKey == Array(material[0..<key]))
    #expect(parameters.serverWriteKey == Array(material[key..<(2 * key)]))
    #expect(parameters.clientSalt == Array(material[(2 * key)..<(2 * key + salt)]))
    #expect(parameters.serverSalt == Array(material[(2 * key + salt)...]))
    #expect(DTLSSRTPParameters(profile: profile, material: Array(material.dropLast())) == nil)
  }

  @Test func theServersOrderOfProfilesDecides() throws {
    // Chromium's order of offers.
    let pair = try SimulatedPair(clientProfiles: [.aes128CMHMACSHA1_80, .aeadAES256GCM, .aeadAES128GCM])
    pair.handshake()
    #expect(try #require(pair.parameters).server.profile == .aeadAES128GCM)
  }

  @Test func withoutACommonProfileBothSidesFail() throws {
    let pair = try SimulatedPair(clientProfiles: [.aes128CMHMACSHA1_32], serverProfiles: [.aeadAES256GCM])
    pair.handshake()
    #expect(pair.client.state == .failed(.noCommonSRTPProfile))
    #expect(pair.server.state == .failed(.noCommonSRTPProfile))
  }

  @Test func keysAreNotPrinted() throws {
    let parameters = try #require(
      DTLSSRTPParameters(profile: .aeadAES128GCM, material: [UInt8](repeating: 0xab, count: 56)))
    #expect(!"\(parameters)".contains("171"))
    #expect(!String(reflecting: parameters).contains("171"))
  }

  @Test func datagramsKeepToTheirMaximumSize() throws {
    let pair = try SimulatedPair(datagramSize: 300)
    var sizes: [Int] = []
    pair.tamper = { datagram, _ in
      sizes.append(datagram.count)
      return datagram
    }
    pair.handshake()
    #expect(pair.parameters != nil)
    #expect(try #require(sizes.max()) <= 300)
    #expect(sizes.count > 6)
  }

  @Test func aServerTakesAClientHelloInFragmentsInEitherOrder() throws {
    for isReversed in [false, true] {
      let pair = try SimulatedPair()
      pair.client.start(now: pair.now)
      let hello = try #require(pair.client.nextDatagram())
      let fragments = split(clientHello: hello)
      for fragment in isReversed ? fragments.reversed() : fragments { pair.server.receive(fragment, now: pair.now) }
      pair.run()
      #expect(pair.parameters != nil)
    }
  }

  @Test func aServerAnswersAClientHelloAtOnce() throws {
    let pair = try SimulatedPair()
    pair.client.start(now: pair.now)
    let hello = try #require(pair.client.nextDatagram())
    pair.server.receive(hello, now: pair.now)
    #expect(pair.server.nextDatagram() != nil)
  }

  /// Cuts a datagram with one unfragmented ClientHello into two records with half of it each (RFC 6347 §4.2.3).
  private func split(clientHello: [UInt8]) -> [[UInt8]] {
    let body = Array(clientHello[25...])
    let half = body.count / 2
    return [0..<half, half..<body.count].enumerated().map { index, range in
      var record = Array(clientHello[0..<11])
      record[10] = UInt8(index)
      let length = range.count + 12
      record += [UInt8(length >> 8), UInt8(length & 255)]
      record += clientHello[13..<19]
      record += [0, UInt8(range.lowerBound >> 8), UInt8(range.lowerBound & 255)]
      record += [0, UInt8(range.count >> 8), UInt8(range.count & 255)]
      return record + body[range]
    }
  }
}
