/// The name of a file in an evidence package: plain names with `/` between them, so that unpacking leads nowhere else.
package struct PackagePath: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let text: String

  /// Bytes of a path at most.
  package static let maximumLength = 200
  /// Folders above a file, and the file itself, at most.
  package static let maximumDepth = 6

  /// Nil unless every part is 1 to ``ArchivePath/maximumNameLength`` letters, digits, `-`, `_` and `.`, with no `.` in
  /// front.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard text.utf8.count <= Self.maximumLength, parts.count <= Self.maximumDepth,
      parts.allSatisfy({ ArchivePath(folder: .media, name: String($0)) != nil })
    else { return nil }
    self.text = text
  }

  /// A name that the program itself has written down.
  package init(_ text: StaticString) {
    guard let path = PackagePath(String(describing: text)) else { preconditionFailure("no package path: \(text)") }
    self = path
  }

  /// The same name inside `folder`; nil when it gets too long.
  package func inside(_ folder: String) -> PackagePath? { PackagePath("\(folder)/\(text)") }

  package var description: String { text }

  package static func < (left: PackagePath, right: PackagePath) -> Bool { left.text < right.text }
}
