import Primitives

// Two callers of one event: suggested by place and time, decided by the operator.

extension Incident {
  /// How far apart in time two incidents of one event begin.
  static let suggestionWindow = TimeInterval64.seconds(1_800)
  /// Metres between two places of one event, beside what their accuracies allow.
  static let suggestionDistance = 300.0

  /// The open incidents that may be the same event and were not suggested before.
  package func suggestions(among others: some Sequence<Incident>) -> [MergeSuggestion] {
    guard !state.isClosed, let here = point else { return [] }
    return others.compactMap { other in
      guard other.id != id, other.agency == agency, other.isExercise == isExercise, !other.state.isClosed,
        !suggestions.contains(where: { $0.other == other.id }), let there = other.point
      else { return nil }
      let seconds = abs((other.openedAt - openedAt).seconds)
      let metres = Geodesy.distance(here.latitude, here.longitude, there.latitude, there.longitude)
      guard seconds <= Self.suggestionWindow.seconds,
        metres <= Self.suggestionDistance + min(here.radius + there.radius, Self.suggestionDistance)
      else { return nil }
      return MergeSuggestion(other: other.id, metres: metres.rounded(), seconds: seconds.rounded())
    }
  }
}
