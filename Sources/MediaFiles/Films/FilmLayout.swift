/// Where on the canvas everything is; pixels, all even.
struct FilmLayout: Hashable {
  struct Box: Hashable {
    var x: Int
    var y: Int
    var width: Int
    var height: Int
  }

  /// One for each camera, in rows.
  let cells: [Box]

  static let width = 1_280
  static let height = 720
  /// The clock and the place.
  static let headHeight = 40
  /// Captions.
  static let footHeight = 104
  static let labelHeight = 24
  /// Cameras in one film.
  static let maximumCells = 16

  init(cameras: Int) {
    let count = min(max(1, cameras), Self.maximumCells)
    let columns = (1...4).first { $0 * $0 >= count || $0 == 2 && count == 2 } ?? 4
    let rows = (count + columns - 1) / columns
    let width = Self.width / columns & ~1
    let height = (Self.height - Self.headHeight - Self.footHeight) / rows & ~1
    cells = (0..<count).map { index in
      Box(x: index % columns * width, y: Self.headHeight + index / columns * height, width: width, height: height)
    }
  }
}
