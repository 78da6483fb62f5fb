import JSON
import MediaServer

// What a slot shows, in the words that clients are told.

extension SlotView.Shown {
  /// The kind of picture.
  var word: String {
    switch self {
    case .audioOnly: "audioOnly"
    case .stills: "stills"
    case .layer: "layer"
    case .all: "all"
    }
  }

  /// The place among the source's layers, where that is what is shown.
  var layer: Int? {
    if case .layer(let place) = self { place } else { nil }
  }
}

extension SlotView {
  /// - Parameter layers: How many layers the source has now, if any are known.
  func json(layers: Int?) -> JSONValue {
    .members([
      "source": .string(source.description), "kind": .string(kind.rawValue), "shows": .string(shows.word),
      "layer": shows.layer.map { .integer($0) }, "layers": layers.map { .integer($0) },
      "reason": reason.map { .string($0.rawValue) }, "linkBitsPerSecond": linkBitsPerSecond.map { .integer($0) },
    ])
  }
}
