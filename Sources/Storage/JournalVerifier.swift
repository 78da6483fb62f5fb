import Incidents
import Primitives

/// Walks journals from their beginning and makes every hash anew.
package struct JournalVerifier {
  /// What a walk found.
  package struct Report: Hashable, Sendable {
    package var journals = 0
    package var events = 0
    /// The first thing that is wrong with each damaged journal.
    package var faults: [String] = []
  }

  let storage: any Storage

  /// Events read in one step.
  private static let page = 1_000

  package init(storage: any Storage) {
    self.storage = storage
  }

  /// Verifies every journal; `progress` is told how many are done.
  package func verify(progress: (Int) -> Void = { _ in }) throws(StorageError) -> Report {
    var report = Report()
    var last: IncidentID?
    while true {
      let heads = try storage.heads(after: last, limit: Self.page)
      for head in heads {
        verify(head, &report)
        report.journals += 1
        progress(report.journals)
      }
      guard let final = heads.last, heads.count == Self.page else { return report }
      last = final.incident
    }
  }

  private func verify(_ head: JournalHead, _ report: inout Report) {
    var number = 0
    var hash = JournalEvent.genesisHash
    while true {
      let events: [JournalEvent]
      do throws(StorageError) {
        events = try storage.events(of: head.incident, after: number, limit: Self.page)
      } catch {
        report.faults.append(error.text)
        return
      }
      for event in events {
        guard event.number == number + 1, event.previousHash == hash else {
          report.faults.append("Event \(event.number) of \(head.incident) does not follow event \(number).")
          return
        }
        (number, hash) = (event.number, event.hash)
        report.events += 1
      }
      if events.count < Self.page { break }
    }
    if number != head.number || hash != head.hash {
      report.faults.append(
        "The journal of \(head.incident) ends at event \(number), not at \(head.number) as it should.")
    }
  }
}
