import Archive
import ControlRoom
import Cryptography
import Foundation
import Incidents
import JSON
import Primitives
import Testing

@Suite("What is in an evidence package", .timeLimit(.minutes(5)))
struct ExportPackageTests {
  private func redaction() throws -> RedactionOrder {
    try RedactionOrder(json: [
      "regions": [
        [
          "track": "v1", "x": 0, "y": 0, "w": 0.5, "h": 0.5, "from": "2026-11-23T03:11:22Z",
          "to": "2026-11-23T03:11:40Z",
        ]
      ]
    ])
  }

  /// Makes a package of a scene and unpacks it; its files by name.
  private func unpacked(_ scene: ExportScene, redaction: RedactionOrder? = nil) async throws -> [String: [UInt8]] {
    let export = try await scene.request(redaction: redaction)
    let told = try await scene.whileMaking { await scene.event(.exportFinished, of: export.id) }
    #expect(told?["state"] == "ready", "\(told?.canonical ?? "-")")
    let zip = "\(scene.folder.path)/exports/\(export.id).zip"
    try scene.folder.unpack(zip, into: "unpacked")
    let content = try Data(contentsOf: URL(fileURLWithPath: zip))
    #expect(told?["sha256"]?.string == Hex.encode(Digest.sha256(Array(content))))
    return scene.folder.files(in: "unpacked")
  }

  private func listing(_ files: [String: [UInt8]]) throws -> JSONValue {
    try JSONValue(parsing: String(decoding: try #require(files["package.json"]), as: UTF8.self))
  }

  @Test("the archive as it is, the journal whole, the films, and a signed list of all")
  func contents() async throws {
    let scene = try await ExportScene()
    try await scene.room.say("help <is> coming", in: scene.incident)
    let path = try scene.writeArchive()
    let before = scene.folder.files(in: path)
    let files = try await unpacked(scene, redaction: try redaction())
    #expect(scene.folder.files(in: path) == before, "the original is only read")

    for (name, content) in before { #expect(files["archive/" + name] == content, "\(name)") }
    #expect(files["stills/s1.jpg"] == Array("still".utf8))
    #expect(files["joined/v1.mp4"] == TestMedia.film + Array("joined/v1.mp4".utf8))
    #expect(files["composite.mp4"] != nil)
    let names: Set = ["VERIFY.txt", "key.pem", "journal.html", "redacted/redaction.json", "redacted/v1.mp4"]
    #expect(names.isSubset(of: files.keys))

    let listing = try listing(files)
    let listed = try #require(listing["files"]?.array)
    #expect(Set(listed.compactMap { $0["path"]?.string }) == Set(files.keys.filter { !$0.hasPrefix("package.json") }))
    for item in listed {
      let content = try #require(files[item["path"]?.string ?? ""])
      #expect(item["length"]?.integer == content.count)
      #expect(item["sha256"]?.string == Hex.encode(Digest.sha256(content)))
    }
    let key = try #require(ExportScene.key).publicKey
    #expect(key.isValid(signature: files["package.json.sig"] ?? [], of: files["package.json"] ?? []))
    #expect(listing["archive"]?["state"] == "sealed")
    #expect(listing["requested"]?["reason"] == "court order")
    #expect(listing["notes"]?.array == ["made by a test"])
  }

  @Test("the journal chains, and ends with the wish for the package")
  func journal() async throws {
    let scene = try await ExportScene()
    for index in 0..<1_203 { try await scene.room.say("message \(index)", in: scene.incident) }
    let files = try await unpacked(scene)
    let text = String(decoding: try #require(files["journal.json"]), as: UTF8.self)
    let events = try JSONValue(parsing: text, limit: text.utf8.count).array ?? []
    #expect(events.count == 1_205)
    var hash = JournalEvent.genesisHash
    for value in events {
      let event = try #require(JournalEvent(json: value))
      #expect(event.previousHash == hash)
      hash = event.hash
    }
    #expect(events.last?["kind"]?.string == EventKind.exportRequested.rawValue)
    #expect(try listing(files)["journal"]?["hash"]?.string == Hex.encode(hash))
    let page = String(decoding: try #require(files["journal.html"]), as: UTF8.self)
    #expect(page.components(separatedBy: "message 1202").count == 3, "in the talk and in the events")
  }

  @Test("a redacted copy names its parent by hash, what was hidden, by whom and why")
  func redactionRecord() async throws {
    let scene = try await ExportScene()
    try scene.writeArchive()
    let order = try redaction()
    let files = try await unpacked(scene, redaction: order)
    let record = try JSONValue(parsing: String(decoding: try #require(files["redacted/redaction.json"]), as: UTF8.self))
    let copy = try #require(record["copies"]?.array?.first)
    #expect(copy["parent"] == "joined/v1.mp4")
    #expect(copy["parentSHA256"]?.string == Hex.encode(Digest.sha256(files["joined/v1.mp4"] ?? [])))
    #expect(copy["sha256"]?.string == Hex.encode(Digest.sha256(files["redacted/v1.mp4"] ?? [])))
    #expect(copy["hidden"] == order.json)
    #expect(record["by"]?["actor"]?["id"] == "sven" && record["by"]?["reason"] == "court order")
    #expect(scene.media.orders.first?.redaction == order)
  }

  @Test("films are told chat, places and names")
  func captions() async throws {
    let scene = try await ExportScene()
    try scene.writeArchive()
    try await scene.room.note(.callerAdded, ["caller": "c-1", "name": "Caller One"], in: scene.incident)
    try await scene.room.note(
      .source, ["source": "s1", "peer": "p1", "owner": "c-1", "kind": "video", "state": "live"], in: scene.incident)
    try await scene.room.note(
      .location, ["caller": "c-1", "lat": 52.51631, "lon": 13.37771, "accuracy": 12.4, "source": "manual"],
      in: scene.incident)
    try await scene.room.say("look left", in: scene.incident)
    _ = try await unpacked(scene)
    let order = try #require(scene.media.orders.first)
    #expect(order.names == ["p1": "Caller One"])
    #expect(order.captions.map(\.text) == ["operator-1: look left"])
    #expect(order.places.map(\.text) == ["52.51631, 13.37771 ± 12 m"])
  }

  @Test("an archive that was sealed with an earlier key is verified with that one", arguments: [true, false])
  func earlierKey(isKnown: Bool) async throws {
    let earlier = try #require(Ed25519PrivateKey(seed: [UInt8](repeating: 1, count: Ed25519PrivateKey.seedLength)))
    let scene = try await ExportScene(knownKeys: isKnown ? [earlier.publicKey] : [])
    try scene.writeArchive(key: earlier)
    let files = try await unpacked(scene)
    let text = String(decoding: files["VERIFY.txt"] ?? [], as: UTF8.self)
    let name = Hex.encode(earlier.publicKey.bytes)
    #expect(text.contains("sightline verify archive --key \(name)\n") == isKnown)
    let notes = try #require(try listing(files)["notes"]?.array).compactMap(\.string)
    #expect(notes.contains { $0.contains("none of this node's: \(name)") } == !isKnown)
  }

  // MARK: - Bad archives

  @Test("without a recording the package has the journal, and says so")
  func noRecording() async throws {
    let scene = try await ExportScene()
    let files = try await unpacked(scene)
    let listing = try listing(files)
    #expect(listing["archive"]?["state"] == "none")
    #expect(listing["notes"]?.array == ["There is no recording of this incident."])
    #expect(files.keys.allSatisfy { !$0.hasPrefix("archive") && !$0.hasPrefix("joined") })
  }

  @Test("an archive of a future version is packed as it lies, without films, and said so")
  func futureVersion() async throws {
    let scene = try await ExportScene()
    let path = try scene.writeArchive(version: 2)
    let files = try await unpacked(scene)
    #expect(try listing(files)["archive"]?["state"] == "unreadable")
    #expect(scene.media.orders.isEmpty)
    #expect(files["archive/media/v1-0001.mp4"] == scene.folder.files(in: path)["media/v1-0001.mp4"])
    #expect(String(decoding: files["VERIFY.txt"] ?? [], as: UTF8.self).contains("The manifest cannot be read"))
  }

  @Test("an unfinished line at the end of the manifest is what was being written")
  func cutOffLine() async throws {
    let scene = try await ExportScene()
    let path = try scene.writeArchive(isSealed: false)
    let manifest = try #require(scene.folder.files(in: path)["manifest.jsonl"])
    try scene.folder.write(manifest + Array("{\"n\":6,".utf8), to: "\(path)/manifest.jsonl")
    let files = try await unpacked(scene)
    #expect(try listing(files)["archive"]?["state"] == "unsealed")
    #expect(files["joined/v1.mp4"] != nil)
  }

  @Test("links, pipes and odd names are left out and named; nothing outside the archive is read")
  func pathTricks() async throws {
    let scene = try await ExportScene()
    let path = "\(scene.folder.path)/" + (try scene.writeArchive())
    try scene.folder.write(Array("secret".utf8), to: "outside/secret")
    symlink("\(scene.folder.path)/outside/secret", path + "/stills/link.jpg")
    symlink("\(scene.folder.path)/outside", path + "/late")
    mkfifo(path + "/media/pipe", 0o600)
    try scene.folder.write([1], to: "archive/\(scene.incident)/media/.hidden")
    try scene.folder.write([1], to: "archive/\(scene.incident)/media/<odd name>")
    let files = try await unpacked(scene)
    #expect(!files.values.contains(Array("secret".utf8)))
    let notes = try #require(try listing(files)["notes"]?.array).compactMap(\.string)
    for name in ["stills/link.jpg", "late", "media/pipe", "media/.hidden", "media/<odd name>"] {
      #expect(notes.contains("Left out, because it is no plain file: \(name)"), "\(name)")
    }
  }

  @Test("an archive that is a link is refused")
  func linkedArchive() async throws {
    let scene = try await ExportScene()
    try scene.folder.write([1], to: "outside/manifest.jsonl")
    try FileManager.default.createDirectory(
      atPath: scene.folder.path + "/archive", withIntermediateDirectories: true)
    symlink("\(scene.folder.path)/outside", "\(scene.folder.path)/archive/\(scene.incident)")
    let export = try await scene.request()
    let told = try await scene.whileMaking { await scene.event(.exportFinished, of: export.id) }
    #expect(told?["detail"]?.string?.contains("is a link") == true)
  }

  @Test("a file that is there is not overwritten")
  func nothingIsOverwritten() async throws {
    let scene = try await ExportScene()
    let export = try await scene.request()
    try scene.folder.write([7], to: "exports/\(export.id).zip")
    let told = try await scene.whileMaking { await scene.event(.exportFinished, of: export.id) }
    #expect(told?["state"] == "failed")
    #expect(told?["detail"]?.string?.contains("is there already") == true)
  }
}
