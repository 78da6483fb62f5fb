import Foundation
import Glibc

/// Processor time and memory of a process, as Linux tells them in /proc.
package struct ProcessUsage: Sendable {
  /// A thread and the processor time that it has used.
  package struct ThreadUsage: Hashable, Sendable {
    package var id: Int32
    package var name: String
    package var cpuSeconds: Double
  }

  /// User and system time since the process started, seconds.
  package var cpuSeconds: Double
  /// Resident memory, bytes.
  package var residentBytes: UInt64
  /// Most that it has ever been, bytes.
  package var peakResidentBytes: UInt64
  package var threads: [ThreadUsage]

  /// Reads the files of a process; nil when there is no such process.
  package static func read(process: Int32) -> ProcessUsage? {
    let folder = "/proc/\(process)"
    guard let (_, cpu) = readStat("\(folder)/stat"), let status = contents("\(folder)/status") else { return nil }
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/task")) ?? []
    return ProcessUsage(
      cpuSeconds: processorClock(of: process) ?? cpu, residentBytes: kilobytes("VmRSS:", in: status) * 1_024,
      peakResidentBytes: kilobytes("VmHWM:", in: status) * 1_024,
      threads: threads.compactMap { thread in
        guard let id = Int32(thread), let (name, cpu) = readStat("\(folder)/task/\(thread)/stat") else { return nil }
        return ThreadUsage(id: id, name: name, cpuSeconds: cpu)
      })
  }

  /// The process's clock counts nanoseconds where the files count hundredths of a second.
  private static func processorClock(of process: Int32) -> Double? {
    var clock = clockid_t()
    var time = timespec()
    guard clock_getcpuclockid(process, &clock) == 0, clock_gettime(clock, &time) == 0 else { return nil }
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// Ours.
  package static func own() -> ProcessUsage? { read(process: getpid()) }

  /// Name and processor time out of a `stat` file (proc(5)): the name is in parentheses and may hold any character.
  package static func parseStat(_ text: String, ticksPerSecond: Double) -> (name: String, cpuSeconds: Double)? {
    guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")"), open < close else { return nil }
    let fields = text[text.index(after: close)...].split(separator: " ")
    // The state is field 3; utime and stime are fields 14 and 15.
    guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return nil }
    return (String(text[text.index(after: open)..<close]), (user + system) / ticksPerSecond)
  }

  /// A line of a `status` file in kB; 0 when it is missing.
  package static func kilobytes(_ label: String, in status: String) -> UInt64 {
    for line in status.split(separator: "\n") where line.hasPrefix(label) {
      return line.dropFirst(label.count).split(whereSeparator: \.isWhitespace).first.flatMap { UInt64($0) } ?? 0
    }
    return 0
  }

  private static func readStat(_ path: String) -> (name: String, cpuSeconds: Double)? {
    contents(path).flatMap { parseStat($0, ticksPerSecond: Double(sysconf(Int32(_SC_CLK_TCK)))) }
  }

  private static func contents(_ path: String) -> String? {
    try? String(contentsOfFile: path, encoding: .utf8)
  }
}
