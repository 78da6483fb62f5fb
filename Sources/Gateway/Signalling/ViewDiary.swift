import MediaServer
import Primitives

/// Decides which changes of what viewers see are worth a line in the incident's journal.
///
/// What the node takes away or gives back because it is full is written at once, at most once in ``overloadPace`` a slot; what
/// comes of a viewer's own line is written once it has stayed so for ``linkPatience``, since lines waver; what the viewer
/// asked for is not written at all. A burst ends with what is so then, never with what was so in between.
package struct ViewDiary {
  /// What is kept from a viewer of one picture.
  package struct Standing: Hashable, Sendable {
    package var shows: SlotView.Shown
    /// Nil when nothing is kept from them.
    package var reason: SlotView.Reason?

    package static let full = Standing(shows: .all, reason: nil)

    package init(shows: SlotView.Shown, reason: SlotView.Reason?) {
      self.shows = shows
      self.reason = reason
    }

    package init(_ view: SlotView) {
      switch view.reason {
      case nil, .wanted: self = .full
      case .link, .overload: self.init(shows: view.shows, reason: view.reason)
      }
    }
  }

  /// One line.
  package struct Entry: Hashable, Sendable {
    package var peer: PeerID
    package var slot: String
    package var source: SourceID
    package var from: Standing
    package var to: Standing
  }

  private struct Key: Hashable {
    var peer: PeerID
    var slot: String
  }

  private struct Page {
    var written = Standing.full
    var writtenAt: MonotonicTime?
    var now = Standing.full
    var source: SourceID
    /// When ``now`` is written, unless it changes; nil when that is written already.
    var due: MonotonicTime?
  }

  package static let overloadPace = TimeInterval64.seconds(2)
  package static let linkPatience = TimeInterval64.seconds(5)
  /// Slots that are followed; what more there are is not written down.
  package static let maximumSlots = 4_096

  private var pages: [Key: Page] = [:]

  package init() {}

  /// Whether anything waits to be written.
  package var isWaiting: Bool { pages.values.contains { $0.due != nil } }

  /// Takes in what a slot shows now; ``takeDue(_:)`` says what to write.
  package mutating func note(_ view: SlotView, slot: String, of peer: PeerID, now: MonotonicTime) {
    guard view.kind == .video else { return }
    let key = Key(peer: peer, slot: slot)
    let standing = Standing(view)
    guard pages[key] != nil || (standing != .full && pages.count < Self.maximumSlots) else { return }
    var page = pages[key] ?? Page(source: view.source)
    page.source = view.source
    guard standing != page.now else {
      pages[key] = page
      return
    }
    page.now = standing
    page.due = standing == page.written ? nil : Self.due(page, now)
    pages[key] = page
  }

  private static func due(_ page: Page, _ now: MonotonicTime) -> MonotonicTime {
    let isOverload = page.now.reason == .overload || page.written.reason == .overload
    guard isOverload else { return now + linkPatience }
    return page.writtenAt.map { max(now, $0 + overloadPace) } ?? now
  }

  /// The lines whose time has come.
  package mutating func takeDue(_ now: MonotonicTime) -> [Entry] {
    var entries: [Entry] = []
    for (key, page) in pages {
      guard let due = page.due, due <= now else { continue }
      entries.append(
        Entry(peer: key.peer, slot: key.slot, source: page.source, from: page.written, to: page.now))
      pages[key]?.written = page.now
      pages[key]?.writtenAt = now
      pages[key]?.due = nil
    }
    return entries
  }

  /// A viewer is gone; nobody is told of what they no longer see.
  package mutating func forget(_ peer: PeerID) {
    pages = pages.filter { $0.key.peer != peer }
  }
}
