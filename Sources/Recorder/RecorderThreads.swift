import Glibc

/// What the recorder's threads have in common.
enum RecorderThreads {
  /// Of the kernel's -20 to 19: a ninth of the share that a media thread gets where both want the same core.
  private static let niceness: Int32 = 10

  /// Has the calling thread give way to calls; a refusal changes nothing.
  static func yieldToCalls() {
    // Linux takes 0 for the calling thread, not for its process.
    _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness)
  }
}
