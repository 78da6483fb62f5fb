import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// A document as Foundation's parser, which is libxml2, reads it.
final class ParsedXML: NSObject, XMLParserDelegate {
  struct Element: Hashable {
    /// Local names from the root, such as `presence/tuple`.
    let path: String
    let namespace: String
    let attributes: [String: String]
    var text = ""
  }

  private(set) var elements: [Element] = []
  private var open: [Int] = []

  init(_ text: String) throws {
    super.init()
    let parser = XMLParser(data: Data(text.utf8))
    parser.shouldProcessNamespaces = true
    parser.delegate = self
    let isWellFormed = parser.parse()
    try #require(isWellFormed, "no well-formed XML: \(String(describing: parser.parserError)) in \(text)")
  }

  func texts(_ path: String) -> [String] { elements.filter { $0.path.hasSuffix(path) }.map(\.text) }

  func attributes(_ path: String) -> [[String: String]] {
    elements.filter { $0.path.hasSuffix(path) }.map(\.attributes)
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    let parent = open.last.map { elements[$0].path + "/" } ?? ""
    open.append(elements.count)
    elements.append(Element(path: parent + name, namespace: namespaceURI ?? "", attributes: attributes))
  }

  func parser(_ parser: XMLParser, foundCharacters text: String) {
    if let index = open.last { elements[index].text += text }
  }

  func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
    open.removeLast()
  }
}
