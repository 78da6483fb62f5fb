import Foundation

/// Files that tests play.
enum Fixtures {
  static let webm = folder + "street.webm"
  static let mp4 = folder + "street-h264.mp4"

  private static let folder =
    String(#filePath.dropLast("Tests/MediaClientTests/Fixtures.swift".count)) + "fixtures/media/"
}
