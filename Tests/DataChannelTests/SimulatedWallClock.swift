import Glibc
import Primitives

/// Makes the SCTP library live in simulated time altogether.
///
/// usrsctp asks the system's clock, by `gettimeofday`, whether a chunk was sent too recently to be sent again and whether
/// a message is too old. Its timers run in simulated time here, so that clock must as well. The library's own entry for
/// `gettimeofday` in its relocation table is pointed at ``answer``: with the simulated time for a thread that runs a
/// simulation, with the real time for every other.
enum SimulatedWallClock {
  /// The calling thread's time; nil stands for the real time.
  static var now: MonotonicTime? {
    get {
      let bits = UInt(bitPattern: pthread_getspecific(key))
      return bits == 0 ? nil : MonotonicTime(nanoseconds: UInt64(bits))
    }
    set {
      precondition(isInstalled, "libusrsctp's relocation of gettimeofday was not found")
      pthread_setspecific(key, UnsafeRawPointer(bitPattern: UInt(newValue?.nanoseconds ?? 0)))
    }
  }

  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    pthread_key_create(&key, nil)
    return key
  }()

  private static let isInstalled: Bool = {
    guard let base = libraryBase, let slot = slot(of: "gettimeofday", in: base) else { return false }
    let page = Int(bitPattern: slot) & ~(sysconf(Int32(_SC_PAGESIZE)) - 1)
    guard mprotect(UnsafeMutableRawPointer(bitPattern: page), 16, PROT_READ | PROT_WRITE) == 0 else { return false }
    slot.storeBytes(of: unsafeBitCast(answer, to: UInt.self), as: UInt.self)
    return true
  }()

  private static let answer: @convention(c) (UnsafeMutablePointer<timeval>?, UnsafeMutableRawPointer?) -> Int32 = {
    result, _ in
    var time = timespec()
    if let now = SimulatedWallClock.now {
      time.tv_sec = Int(now.nanoseconds / 1_000_000_000)
      time.tv_nsec = Int(now.nanoseconds % 1_000_000_000)
    } else {
      clock_gettime(CLOCK_REALTIME, &time)
    }
    result?.pointee = timeval(tv_sec: time.tv_sec, tv_usec: time.tv_nsec / 1000)
    return 0
  }

  /// Where the first segment of the library lies, from the process's memory map.
  private static var libraryBase: UnsafeMutableRawPointer? {
    guard let file = fopen("/proc/self/maps", "r") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 1024)
    while fgets(&line, Int32(line.count), file) != nil {
      guard strstr(line, "libusrsctp.so") != nil else { continue }
      return UnsafeMutableRawPointer(bitPattern: strtoul(line, nil, 16))
    }
    return nil
  }

  /// The address that the library calls for `name`: ELF64 program headers, dynamic section, relocations with addends.
  private static func slot(of name: String, in base: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    let headers = base + Int(base.load(fromByteOffset: 32, as: UInt64.self))
    let count = Int(base.load(fromByteOffset: 56, as: UInt16.self))
    guard let dynamic = (0..<count).map({ headers + 56 * $0 }).first(where: { $0.load(as: UInt32.self) == 2 }) else {
      return nil
    }
    var entries: [Int64: UInt] = [:]
    var entry = base + Int(dynamic.load(fromByteOffset: 16, as: UInt64.self))
    while entry.load(as: Int64.self) != 0 {
      entries[entry.load(as: Int64.self)] = entry.load(fromByteOffset: 8, as: UInt.self)
      entry += 16
    }
    guard let strings = entries[5].flatMap(UnsafeRawPointer.init(bitPattern:)),
      let symbols = entries[6].flatMap(UnsafeRawPointer.init(bitPattern:))
    else { return nil }
    for (table, size) in [(entries[23], entries[2]), (entries[7], entries[8])] {
      guard let table = table.flatMap(UnsafeRawPointer.init(bitPattern:)), let size else { continue }
      for relocation in (0..<Int(size) / 24).map({ table + 24 * $0 }) {
        let symbol = symbols + 24 * Int(relocation.load(fromByteOffset: 8, as: UInt64.self) >> 32)
        let symbolName = strings + Int(symbol.load(as: UInt32.self))
        guard strcmp(symbolName.assumingMemoryBound(to: CChar.self), name) == 0 else { continue }
        return base + Int(relocation.load(as: UInt64.self))
      }
    }
    return nil
  }
}
