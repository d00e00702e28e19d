/// Working memory of one redactor: grows to what a value needs, is wiped after each run.
final class Scratch {
  private var memory = UnsafeMutablePointer<UInt8>.allocate(capacity: 1024)
  private var capacity = 1024
  /// The most bytes that a writer was asked for since the last wiping; none writes more.
  private var used = 0

  init() {}

  deinit { memory.deallocate() }

  /// A writer over at least `count` bytes; what was there is lost, and so is every writer before it.
  func writer(_ count: Int) -> ByteWriter {
    if count > capacity {
      wipe()
      memory.deallocate()
      capacity = max(count, capacity * 2)
      memory = .allocate(capacity: capacity)
    }
    used = max(used, count)
    return ByteWriter(memory, capacity: count)
  }

  func wipe() {
    memory.initialize(repeating: 0, count: used)
    used = 0
  }
}
