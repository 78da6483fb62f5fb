import Foundation
import MediaClient
import Testing

@Suite("Process usage")
struct ProcessUsageTests {
  @Test(arguments: [
    ("7 (janus) S 1 7 7 0 -1 4194304 1 0 0 0 150 50 0 0 20 0 9 0 1 2 3", "janus", 2.0),
    ("7 (a (b) c) R 1 7 7 0 -1 4194304 1 0 0 0 1 0 0 0 20 0 9 0 1 2 3", "a (b) c", 0.01),
  ])
  func `name and processor time are read, whatever the name holds`(text: String, name: String, seconds: Double) throws {
    let stat = try #require(ProcessUsage.parseStat(text, ticksPerSecond: 100))
    #expect(stat.name == name && stat.cpuSeconds == seconds)
  }

  @Test(arguments: ["", "7", "7 (x", "7 (x)", "7 )x( S 1", "7 (x) S 1 2 3 4 5 6 7 8 9 a b c"])
  func `what is no stat line is refused`(text: String) {
    #expect(ProcessUsage.parseStat(text, ticksPerSecond: 100) == nil)
  }

  @Test func `memory is found by its label`() {
    let status = "Name:\tx\nVmHWM:\t  2048 kB\nVmRSS:\t    1024 kB\nThreads:\t3\n"
    #expect(ProcessUsage.kilobytes("VmRSS:", in: status) == 1_024)
    #expect(ProcessUsage.kilobytes("VmHWM:", in: status) == 2_048)
    #expect(ProcessUsage.kilobytes("VmSwap:", in: status) == 0)
  }

  @Test func `our own process can be read and one that is not there cannot`() throws {
    let own = try #require(ProcessUsage.own())
    #expect(own.residentBytes > 1_000_000 && own.peakResidentBytes >= own.residentBytes && !own.threads.isEmpty)
    #expect(ProcessUsage.read(process: -1) == nil)
  }

  @Test func `percentiles take the nearest rank`() throws {
    #expect(Percentiles([]) == nil)
    let hundred = try #require(Percentiles((1...100).map(Double.init).shuffled()))
    #expect(hundred.p50 == 50 && hundred.p99 == 99 && hundred.maximum == 100 && hundred.count == 100)
    #expect(Percentiles([3])?.p99 == 3)
  }
}
