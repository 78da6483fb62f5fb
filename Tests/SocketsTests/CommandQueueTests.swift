import Sockets
import Testing

@Suite struct CommandQueueTests {
  final class Target {
    var ran: [Int] = []
  }

  @Test func aFullQueueTakesOnlyWhatGivesBack() throws {
    let queue = try CommandQueue<Target>()
    let capacity = CommandQueue<Target>.capacity
    for number in 0..<capacity {
      #expect(queue.submit { $0.ran.append(number) })
    }
    #expect(!queue.submit { $0.ran.append(-1) })
    #expect(queue.submit(evenWhenFull: true) { $0.ran.append(capacity) })
    let target = Target()
    for command in queue.take() { command(target) }
    #expect(target.ran == Array(0...capacity))
  }

  @Test func aClosedQueueHandsOutTheRestAndTakesNothing() throws {
    let queue = try CommandQueue<Target>()
    #expect(queue.submit { $0.ran.append(1) })
    let target = Target()
    for command in queue.close() { command(target) }
    #expect(target.ran == [1])
    #expect(!queue.submit { $0.ran.append(2) })
    #expect(!queue.submit(evenWhenFull: true) { $0.ran.append(3) })
    #expect(queue.take().isEmpty)
  }
}
