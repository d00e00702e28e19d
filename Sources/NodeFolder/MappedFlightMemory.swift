import Glibc
package import Quotas

/// Flight memory in a mapped file: it survives the process, on tmpfs not the boot.
package final class MappedFlightMemory: FlightMemory {
  package nonisolated(unsafe) let base: UnsafeMutableRawPointer
  package let slotCount: Int
  package let rateCount: Int
  /// Whether the file was made, or made anew with another size: then it is zeroed.
  package let isNew: Bool
  private let size: Int

  /// The space is allocated at once, so that a full disk shows here and not as a signal later.
  package init(path: String, slots: Int, rates: Int) throws(QuotaError) {
    slotCount = max(1, min(slots, 1 << 20))
    rateCount = max(0, min(rates, 1 << 24))
    size = FlightLayout.size(slots: slotCount, rates: rateCount)
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw QuotaError(.folderUnusable, "flight table: \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw QuotaError(.folderUnusable, "flight table: fstat") }
    isNew = Int(status.st_size) != size
    if isNew {
      guard ftruncate(descriptor, 0) == 0, posix_fallocate(descriptor, 0, off_t(size)) == 0 else {
        throw QuotaError(.folderUnusable, "flight table: no space for \(size) bytes")
      }
    }
    guard let mapped = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), mapped != MAP_FAILED else {
      throw QuotaError(.folderUnusable, "flight table: \(String(cString: strerror(errno)))")
    }
    base = mapped
  }

  deinit { munmap(base, size) }
}
