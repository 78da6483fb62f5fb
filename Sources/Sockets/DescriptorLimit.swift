import Glibc

/// How many descriptors this process may have: each TCP connection, of media or of HTTP, takes one.
package enum DescriptorLimit {
  /// Raises the soft limit, often 1,024, to the hard one; the limit that holds now.
  ///
  /// The soft limit is low for programs that use `select`, which nothing here does.
  @discardableResult
  package static func raise() -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
    limit.rlim_cur = limit.rlim_max
    _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    _ = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return Int(clamping: limit.rlim_cur)
  }
}
