import FuzzTargets

// libFuzzer's own `main` would call one fixed function; here its driver is called, so that one program serves all
// targets: `Fuzz stun -max_total_time=60 CORPUS`.

private typealias Callback = @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(_ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutableRawPointer, _ callback: Callback)
  -> CInt

// Written once, before the driver starts, and only read by its callback on the same thread.
private nonisolated(unsafe) var target = FuzzTarget.stun

/// What SwiftPM links as `main` of this executable.
@_cdecl("Fuzz_main")
public func fuzzMain(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
  guard count > 1, let name = arguments[1], let chosen = FuzzTarget(rawValue: String(cString: name)) else {
    print("usage: Fuzz \(FuzzTarget.allCases.map(\.rawValue).joined(separator: "|")) [libFuzzer options] [corpus]")
    return 2
  }
  target = chosen
  // The driver gets its usual arguments: the program, and what follows the target's name.
  arguments[1] = arguments[0]
  var driverCount = count - 1
  var driverArguments = UnsafeMutableRawPointer(arguments + 1)
  return withUnsafeMutablePointer(to: &driverArguments) { pointer in
    runDriver(&driverCount, pointer) { start, length in
      target.run(UnsafeRawBufferPointer(start: start, count: length))
      return 0
    }
  }
}
