/// Working memory of one redactor: grows to what a value needs, is wiped after each run.
final class Scratch {
  private(set) var memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 1024)

  deinit { memory.deallocate() }

  /// Fresh memory for at least `count` bytes; what was there is lost.
  func reserve(_ count: Int) -> UnsafeMutableBufferPointer<UInt8> {
    if count > memory.count {
      wipe()
      memory.deallocate()
      memory = .allocate(capacity: max(count, memory.count * 2))
    }
    return memory
  }

  func wipe() { memory.initialize(repeating: 0) }
}
