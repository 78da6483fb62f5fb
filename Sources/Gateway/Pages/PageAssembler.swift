import Cryptography
import Foundation

/// Makes a page quick on a thin line: styles marked `data-inline` become part of the page, and every module that its scripts
/// import is named in the page, so that the browser asks for all of them at once instead of level by level.
package struct PageAssembler {
  /// The texts of all files, by their path below the folder.
  package let texts: [String: String]

  /// A page as it is served.
  package struct Page: Hashable {
    package var html: String
    /// Of the styles inside, as ``ContentSecurityPolicy`` takes them.
    package var styleHashes: [String]
  }

  /// Modules that one page may pull in; a page that needs more gets them level by level.
  package static let maximumModules = 200

  package init(texts: [String: String]) {
    self.texts = texts
  }

  /// The page as it is served.
  package func assemble(_ html: String) -> Page {
    var page = Page(html: html, styleHashes: [])
    inlineStyles(&page)
    nameModules(&page)
    return page
  }

  // A page's own marks; neither is a pattern that a text of a page could have by chance.
  private static var styleLinks: Regex<(Substring, path: Substring)> {
    /<link rel="stylesheet" href="\/assets\/(?<path>[^"]+)" data-inline>\n?\s*/
  }
  private static var scripts: Regex<(Substring, path: Substring)> {
    /<script type="module" src="\/assets\/(?<path>[^"]+)"><\/script>/
  }
  private static var imports: Regex<(Substring, path: Substring)> {
    /(?:^|\n)(?:import|export)\s[^;]*?from\s+"(?<path>\.[^"]+)"/
  }

  private func inlineStyles(_ page: inout Page) {
    let links = page.html.matches(of: Self.styleLinks)
    guard let first = links.first else { return }
    let style = links.compactMap { texts[String($0.output.path)] }.joined(separator: "\n")
    let place = page.html.distance(from: page.html.startIndex, to: first.range.lowerBound)
    page.html = page.html.replacing(Self.styleLinks, with: "")
    let start = page.html.index(page.html.startIndex, offsetBy: place)
    page.html.insert(contentsOf: "<style>\(style)</style>\n    ", at: start)
    page.styleHashes = ["sha256-\(Data(Digest.sha256(Array(style.utf8))).base64EncodedString())"]
  }

  private func nameModules(_ page: inout Page) {
    let roots = page.html.matches(of: Self.scripts).map { String($0.output.path) }
    guard let script = page.html.firstMatch(of: Self.scripts) else { return }
    let links = modules(behind: roots).map { "<link rel=\"modulepreload\" href=\"/assets/\($0)\">\n    " }
    page.html.insert(contentsOf: links.joined(), at: script.range.lowerBound)
  }

  /// Everything that `roots` import, however far away, nearest first.
  private func modules(behind roots: [String]) -> [String] {
    var found = roots
    var next = 0
    while next < found.count, found.count < Self.maximumModules {
      let path = found[next]
      next += 1
      for imported in imports(of: path) where texts[imported] != nil && !found.contains(imported) {
        found.append(imported)
      }
    }
    return Array(found.dropFirst(roots.count))
  }

  private func imports(of path: String) -> [String] {
    guard let text = texts[path] else { return [] }
    let folder = path.split(separator: "/").dropLast().map(String.init)
    return text.matches(of: Self.imports).map { match in
      var parts = folder
      for part in match.output.path.split(separator: "/") {
        switch part {
        case ".": continue
        case "..": _ = parts.popLast()
        default: parts.append(String(part))
        }
      }
      return parts.joined(separator: "/")
    }
  }
}
