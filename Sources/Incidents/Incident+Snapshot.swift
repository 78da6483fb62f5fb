import JSON
import Primitives

// What people see of an incident at once: before its events, and in lists.

extension Incident {
  /// One row of a list.
  package var summary: JSONValue {
    .members([
      "id": .string(id.value), "agency": .string(agency), "state": .string(state.rawValue),
      "priority": .string(priority.rawValue), "type": type.map { .string($0) }, "place": place?.json,
      "exercise": .bool(isExercise), "openedAt": .string(openedAt.description),
      "answeredAt": answeredAt.map { .string($0.description) },
      "endedAt": endedAt.map { .string($0.description) }, "outcome": outcome.map { .string($0.rawValue) },
      "mergedInto": mergedInto.map { .string($0.value) }, "callers": .integer(callers.count),
      "stage": headline.map { .string($0.stage.rawValue) }, "phone": headline?.phone.map { .string($0) },
      "stageAt": headline?.stages.last.map { .string($0.at.description) },
      "failure": headline?.failure.map { .string($0.rawValue) },
      "staff": .array(assignments.filter { $0.until == nil }.map(\.json)),
      "units": .integer(units.filter { $0.stoodDownAt == nil }.count),
    ])
  }

  /// The caller that a list shows: who is live, else who came last.
  private var headline: Caller? { callers.last { $0.stage == .live } ?? callers.last }

  /// Where it is, as well as is known: the newest sound fix, else the place that staff set.
  package var point: (latitude: Double, longitude: Double, radius: Double)? {
    if let fix = bestLocation { return (fix.latitude, fix.longitude, fix.accuracy ?? LocationFix.assumedAccuracy) }
    guard let latitude = place?.latitude, let longitude = place?.longitude else { return nil }
    return (latitude, longitude, place?.radius ?? LocationFix.assumedAccuracy)
  }

  /// The best of the latest fixes that can be right, of any caller: a coarse one must not displace a fine one that is
  /// ``agreementWindow`` older at most.
  package var bestLocation: LocationFix? {
    let latest = callers.compactMap(\.location)
    guard let newest = latest.map(\.fixedAt).max() else { return nil }
    let recent = callers.flatMap(\.track).filter { $0.isSound && newest - $0.fixedAt <= Self.agreementWindow }
    let radius = { (fix: LocationFix) in fix.accuracy ?? LocationFix.assumedAccuracy }
    return recent.min { (radius($0), $1.fixedAt.microseconds) < (radius($1), $0.fixedAt.microseconds) }
  }

  /// How far apart in time two fixes are that may be of one place.
  static let agreementWindow = TimeInterval64.seconds(30)

  /// All that the audience may see; `viewer` is the actor who looks, since callers see only themselves.
  package func snapshot(for audience: Audience, viewer: String) -> JSONValue {
    let isTeam = !audience.isDisjoint(with: .team)
    let isControl = !audience.isDisjoint(with: .control)
    let seen = isTeam ? callers : audience == .caller ? callers.filter { $0.id == viewer } : []
    var members: [String: JSONValue] = [
      "id": .string(id.value), "state": .string(state.rawValue), "exercise": .bool(isExercise),
      "openedAt": .string(openedAt.description), "number": .integer(number),
      "callers": .array(seen.map { $0.json(isTeam: isTeam) }),
      "files": .array(files.filter { isTeam || $0.visibility == .everyone }.map(\.json)),
    ]
    members["endedAt"] = endedAt.map { .string($0.description) }
    members["mergedInto"] = mergedInto.map { .string($0.value) }
    guard isTeam else { return .object(members) }
    members["agency"] = .string(agency)
    members["priority"] = .string(priority.rawValue)
    members["type"] = type.map { .string($0) }
    members["place"] = place?.json
    members["changedAt"] = .string(changedAt.description)
    members["outcome"] = outcome.map { .string($0.rawValue) }
    members["absorbed"] = .array(absorbed.map { .string($0.value) })
    members["assignments"] = .array(assignments.map(\.json))
    members["units"] = .array(units.map(\.json))
    members["links"] = .array(links.map(\.json))
    members["triage"] = .object(triage.mapValues { .string($0) })
    guard isControl else { return .object(members) }
    members["suggestions"] = .array(suggestions.map(\.json))
    members["held"] = .bool(isHeld)
    return .object(members)
  }

  /// What the incident that goes on is told of this one: its callers as the merge found them.
  ///
  /// The merge itself ends their calls here, which may be in the journal before anybody asks.
  package func absorption() -> JSONValue {
    let rows = callers.prefix(Self.maximumCallersAfterMerges).map { caller -> JSONValue in
      let stage = stagesAtMerge[caller.id] ?? caller.stage
      return .members([
        "caller": .string(caller.id), "name": caller.name.map { .string($0) },
        "phone": caller.phone.map { .string($0) }, "stage": .string(stage.rawValue),
      ])
    }
    // Links to what was merged into this one before have to lead on as well.
    let also: JSONValue? = absorbed.isEmpty ? .none : .array(absorbed.map { .string($0.value) })
    return .members(["from": .string(id.value), "callers": .array(rows), "also": also])
  }
}

extension Caller {
  /// The newest fix that can be right.
  package var location: LocationFix? {
    track.filter(\.isSound).max { $0.fixedAt < $1.fixedAt }
  }

  /// Fixes in a snapshot; the whole track is in the journal.
  static let trackInSnapshot = 100

  func json(isTeam: Bool) -> JSONValue {
    .members([
      "id": .string(id), "name": name.map { .string($0) }, "phone": isTeam ? phone.map { .string($0) } : nil,
      "stage": .string(stage.rawValue), "failure": failure.map { .string($0.rawValue) },
      "stages": .array(
        stages.map { ["stage": .string($0.stage.rawValue), "at": .string($0.at.description)] }),
      "cameWith": cameWith.map { .string($0.value) }, "location": location?.json,
      "track": isTeam ? .array(track.suffix(Self.trackInSnapshot).map(\.json)) : nil,
    ])
  }
}

extension Assignment {
  var json: JSONValue {
    .members([
      "account": .string(account), "role": .string(role.rawValue), "name": .string(name),
      "since": .string(since.description), "until": until.map { .string($0.description) },
    ])
  }
}

extension UnitOnIncident {
  var json: JSONValue {
    .members([
      "unit": .string(unit), "name": name.map { .string($0) }, "service": service.map { .string($0) },
      "status": .string(status.rawValue), "since": .string(since.description),
      "statusSince": .string(statusSince.description), "stoodDownAt": stoodDownAt.map { .string($0.description) },
      "lat": latitude.map { .number($0) }, "lon": longitude.map { .number($0) },
      "locatedAt": locatedAt.map { .string($0.description) }, "eta": eta.map { .string($0.description) },
    ])
  }
}

extension LinkSummary {
  var json: JSONValue {
    .members([
      "link": .string(id), "role": .string(role.rawValue), "name": name.map { .string($0) },
      "expires": .string(expires.description), "delivery": delivery.map { .string($0) },
      "revokedAt": revokedAt.map { .string($0.description) },
    ])
  }
}

extension FileSummary {
  var json: JSONValue {
    [
      "file": .string(id), "name": .string(name), "type": .string(type), "size": .integer(size),
      "sha256": .string(sha256), "purpose": .string(purpose), "visibility": .string(visibility.rawValue),
    ]
  }
}

extension MergeSuggestion {
  var json: JSONValue {
    ["other": .string(other.value), "metres": .number(metres), "seconds": .number(seconds)]
  }
}
