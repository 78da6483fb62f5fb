import CUSRSCTP
import Primitives
import Synchronization

/// The owner's handle on the SCTP library: keeps it started and drives its timers.
///
/// The composition root makes one and gives it to every ``DataChannelTransport``. Any thread may use it. All calls into
/// the library, of all associations, are serialised by one lock: data channels carry text and positions, a few packets
/// a second for each peer, and the lock takes usrsctp's own locking out of the list of things that can go wrong.
package final class SCTPStack: Sendable {
  /// The library's clock moves in steps of at least this length, however often ``advance(to:)`` is called.
  package static let tick = TimeInterval64.milliseconds(10)

  /// The time up to which this stack has driven the timers, in nanoseconds; 0 before the first call.
  private let drivenUntil = Atomic<UInt64>(0)

  /// Starts the library, unless another stack in the process has.
  package init() {
    SCTPLibrary.shared.retain()
  }

  deinit {
    SCTPLibrary.shared.release()
  }

  /// Fires the timers that are due at `now`, for all associations of the process.
  ///
  /// Cheap when less than a tick has passed since the last call, from whichever thread. Packets that timers make land in
  /// the outbox of their own association. A time before the last one is ignored.
  package func advance(to now: MonotonicTime) {
    guard isDue(now) else { return }
    SCTPLibrary.shared.withLock {
      let last = drivenUntil.load(ordering: .relaxed)
      guard isDue(now) else { return }
      guard last != 0 else { return drivenUntil.store(max(now.nanoseconds, 1), ordering: .relaxed) }
      let milliseconds = (now.nanoseconds - last) / 1_000_000
      drivenUntil.store(last + milliseconds * 1_000_000, ordering: .relaxed)
      usrsctp_handle_timers(UInt32(clamping: milliseconds))
    }
  }

  private func isDue(_ now: MonotonicTime) -> Bool {
    let last = drivenUntil.load(ordering: .relaxed)
    return last == 0 || now.nanoseconds >= last && now.nanoseconds - last >= UInt64(Self.tick.nanoseconds)
  }
}

/// usrsctp as it is: one instance a process, with global tables, one timer list and callbacks without a context.
///
/// This is the only global state of the project's cores, and it is all here:
/// - `lock` guards every call into the library and counts the stacks that use it. The library has no threads of its own
///   (`usrsctp_init_nothreads`), so its callbacks run inside such a call, on the caller's thread, with `lock` held.
/// - `mailboxes` maps the integer key of an association to the mailbox that its callbacks fill. A callback gets the key
///   (never a pointer), looks it up and finds either a mailbox, which the table keeps alive, or nothing.
///
/// Order: `lock`, then `mailboxes` or one mailbox's lock, which are leaves.
final class SCTPLibrary: Sendable {
  static let shared = SCTPLibrary()

  private struct Usage {
    var stacks = 0
    var isStarted = false
  }

  private struct Table {
    var nextKey: UInt = 1
    var mailboxes: [UInt: SCTPMailbox] = [:]
  }

  private let lock = Mutex(Usage())
  private let table = Mutex(Table())

  private init() {}

  /// Runs `body` as the only caller of the library.
  func withLock<Result>(_ body: () -> Result) -> Result {
    lock.withLock { _ in body() }
  }

  func retain() {
    lock.withLock { usage in
      usage.stacks += 1
      guard !usage.isStarted else { return }
      usage.isStarted = true
      cusrsctp_start(sctpLibraryDidOutput)
      Self.configure()
    }
  }

  /// Ends the library with its last stack; when it still holds an endpoint, it stays started for the next one.
  func release() {
    lock.withLock { usage in
      usage.stacks -= 1
      guard usage.stacks == 0 else { return }
      usage.isStarted = usrsctp_finish() != 0
    }
  }

  /// A key that no other association of this process had or will have, and the mailbox behind it.
  func register() -> (key: UInt, mailbox: SCTPMailbox) {
    let mailbox = SCTPMailbox()
    let key = table.withLock { table in
      let key = table.nextKey
      table.nextKey += 1
      table.mailboxes[key] = mailbox
      return key
    }
    return (key, mailbox)
  }

  func unregister(_ key: UInt) {
    table.withLock { _ = $0.mailboxes.removeValue(forKey: key) }
  }

  func mailbox(for key: UInt) -> SCTPMailbox? {
    table.withLock { $0.mailboxes[key] }
  }

  /// What WebRTC needs and no more: extensions that it does not use are off (RFC 8831 §6.1, RFC 8261 §6.1).
  private static func configure() {
    _ = usrsctp_sysctl_set_sctp_blackhole(2)
    _ = usrsctp_sysctl_set_sctp_asconf_enable(0)
    _ = usrsctp_sysctl_set_sctp_auto_asconf(0)
    _ = usrsctp_sysctl_set_sctp_auth_enable(0)
    _ = usrsctp_sysctl_set_sctp_ecn_enable(0)
    _ = usrsctp_sysctl_set_sctp_nrsack_enable(0)
    _ = usrsctp_sysctl_set_sctp_pktdrop_enable(0)
    _ = usrsctp_sysctl_set_sctp_pr_enable(1)
    _ = usrsctp_sysctl_set_sctp_reconfig_enable(1)
    _ = usrsctp_sysctl_set_sctp_no_csum_on_loopback(0)
    _ = usrsctp_sysctl_set_sctp_max_chunks_on_queue(UInt32(DataChannelLimits.maximumQueuedChunks))
  }
}
