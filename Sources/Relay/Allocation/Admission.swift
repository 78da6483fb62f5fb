/// Whether a new viewer finds room on the node.
package enum Admission: Hashable, Sendable, CaseIterable {
  /// With a picture as far as its link and the allocator give one.
  case full
  /// With sound, text and location; a picture follows when there is room.
  case reduced
  /// Not even sound fits: tell it politely to try again.
  case refused
}

/// Somebody who wants to view.
package struct NewViewer: Equatable, Sendable {
  package var tier: Tier
  /// What the cheapest picture takes that is worth having, bits per second: a base layer where one is known, else stills.
  package var pictureBitsPerSecond: Int
  package var audioBitsPerSecond: Int

  package init(tier: Tier, pictureBitsPerSecond: Int, audioBitsPerSecond: Int) {
    self.tier = tier
    self.pictureBitsPerSecond = pictureBitsPerSecond
    self.audioBitsPerSecond = audioBitsPerSecond
  }
}

extension Allocator {
  /// Whether `viewer` finds room beside those of `input`.
  ///
  /// A viewer of a priority 1 incident always does: less urgent pictures give way. Any other one does when its picture
  /// fits beside the base layers of everybody who is as urgent or more: their better layers and all that is less urgent
  /// give way for it, but nobody as urgent loses the picture.
  package static func admission(of viewer: NewViewer, to input: AllocationInput) -> Admission {
    guard viewer.tier.priority > 1 else { return .full }
    guard let limit = AllocationWalk.nodeLimit(input).bitsPerSecond else { return .full }
    var sound = AllocationWalk.sum(0, viewer.audioBitsPerSecond)
    for other in input.viewers { sound = AllocationWalk.sum(sound, other.audioBitsPerSecond) }
    guard sound <= limit else { return .refused }

    var pictures = AllocationWalk.sum(0, viewer.pictureBitsPerSecond)
    for demand in input.demands where demand.tier <= viewer.tier {
      pictures = AllocationWalk.sum(pictures, need(of: demand, in: input))
    }
    let room = RateBudget(limit - sound)
    guard viewer.tier.priority >= firstPriorityLeavingReserve else {
      return room.bears(pictures, .begin) ? .full : .reduced
    }
    return room.bears(pictures, .improve, reserve: reserveThousandths) ? .full : .reduced
  }

  /// What a demand's base layer takes, as far as its viewer's link bears it.
  private static func need(of demand: Demand, in input: AllocationInput) -> Int {
    let base = demand.rate(at: demand.baseLevel)
    guard input.viewers.indices.contains(demand.viewer) else { return base }
    let viewer = input.viewers[demand.viewer]
    guard let link = viewer.bitsPerSecond else { return base }
    return min(base, max(max(link, 0) - AllocationWalk.sum(0, viewer.audioBitsPerSecond), 0))
  }
}
