import Glibc

/// A system call failed.
package struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was being done, for example `bind UDP 192.0.2.1:3478`.
  package let doing: String
  /// The error number.
  package let number: Int32

  package init(_ doing: String, number: Int32) {
    self.doing = doing
    self.number = number
  }

  package var description: String { "\(doing): \(String(cString: strerror(number)))" }
}

/// Turns a negated error number into a thrown ``SystemError``.
package func check(_ result: Int32, _ doing: @autoclosure () -> String) throws(SystemError) -> Int32 {
  guard result >= 0 else { throw SystemError(doing(), number: -result) }
  return result
}
