import JSON

/// A story that simulated callers tell.
package enum ExerciseScenario: String, CaseIterable, Sendable {
  case cardiacArrest
  case roadAccident
  case fire
  case lostPerson

  /// For people who choose.
  package var title: String {
    switch self {
    case .cardiacArrest: "Cardiac arrest in the street"
    case .roadAccident: "Two cars, one person trapped"
    case .fire: "Smoke from a flat"
    case .lostPerson: "Lost on foot, caller moves"
    }
  }

  /// What happened, as the incident has it.
  package var type: String {
    switch self {
    case .cardiacArrest: "Cardiac arrest"
    case .roadAccident: "Road accident"
    case .fire: "Fire"
    case .lostPerson: "Missing person"
    }
  }

  /// Metres a second that its callers walk.
  package var pace: Double {
    switch self {
    case .cardiacArrest: 0.1
    case .roadAccident: 0.4
    case .fire: 0.8
    case .lostPerson: 1.3
    }
  }

  /// What its callers write, one after the other; each caller begins at another line.
  package var lines: [String] {
    switch self {
    case .cardiacArrest:
      [
        "A man fell down, he does not answer", "He is not breathing normally",
        "Somebody has started to press his chest",
        "There is a defibrillator at the station, my friend runs there", "I am getting tired, can somebody take over?",
        "I can hear the ambulance",
      ]
    case .roadAccident:
      [
        "Two cars crashed at the crossing", "One driver cannot get out, the door is stuck",
        "Petrol runs onto the street",
        "The other driver is walking around, his head bleeds", "Traffic still passes beside us",
      ]
    case .fire:
      [
        "Smoke comes out of the second floor", "A woman waves at the window", "I cannot see flames yet",
        "The stairs are full of smoke", "Now there are flames in the kitchen window",
        "People come out of the back door",
      ]
    case .lostPerson:
      [
        "I do not know where I am, it gets dark", "I hear a road on my left",
        "There is a pylon with a number, I go there",
        "My phone has little battery", "I see lights now",
      ]
    }
  }

  var json: JSONValue { ["name": .string(rawValue), "title": .string(title), "type": .string(type)] }
}
