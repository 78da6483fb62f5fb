/// A table of elements at stable indices with reuse of freed places.
///
/// Elements are changed in place through pointers.
///
/// Growing moves the elements, so a pointer is valid only until the next ``insert(_:)``.
struct Pool<Element>: ~Copyable {
  private(set) var base: UnsafeMutablePointer<Element>
  private var capacity: Int
  private var isUsed: [Bool]
  private var free: [Int] = []
  private(set) var count = 0

  init(capacity: Int = 16) {
    self.capacity = capacity
    base = .allocate(capacity: capacity)
    isUsed = []
  }

  deinit {
    for index in isUsed.indices where isUsed[index] {
      (base + index).deinitialize(count: 1)
    }
    base.deallocate()
  }

  /// Places ever used: iterate `0..<end` and ask ``contains(_:)``.
  var end: Int { isUsed.count }

  func contains(_ index: Int) -> Bool {
    index >= 0 && index < isUsed.count && isUsed[index]
  }

  /// The element's place, or nil when there is none at `index`.
  func find(_ index: Int) -> UnsafeMutablePointer<Element>? {
    contains(index) ? base + index : nil
  }

  /// The element's place; `index` must be in use.
  ///
  /// For the packet path.
  @inline(__always)
  subscript(unchecked index: Int32) -> UnsafeMutablePointer<Element> {
    base + Int(index)
  }

  mutating func insert(_ element: Element) -> Int {
    count += 1
    if let index = free.popLast() {
      isUsed[index] = true
      (base + index).initialize(to: element)
      return index
    }
    if isUsed.count == capacity { grow() }
    (base + isUsed.count).initialize(to: element)
    isUsed.append(true)
    return isUsed.count - 1
  }

  mutating func remove(_ index: Int) -> Element? {
    guard contains(index) else { return nil }
    count -= 1
    isUsed[index] = false
    free.append(index)
    return (base + index).move()
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
    for index in isUsed.indices where isUsed[index] {
      (larger + index).initialize(to: (base + index).move())
    }
    base.deallocate()
    base = larger
    capacity *= 2
  }
}
