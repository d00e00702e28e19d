import CLinux
import Glibc

/// Whether and how the kernel's AIO is at hand.
enum AIORefusal {
  /// Whether the kernel polls an epoll set by AIO.
  static let isAvailable: Bool = {
    let set = EpollSet()
    let signal = eventfd(0, Int32(EFD_CLOEXEC))
    defer { close(signal) }
    var context: aio_context_t = 0
    guard th_aio_setup(8, &context) == 0 else { return false }
    defer { th_aio_destroy(context) }
    return th_aio_poll(context, set.descriptor, signal) == 0
  }()

  /// Makes `io_setup` fail on the calling thread and on the threads it starts, as a sandbox would: a seccomp filter.
  /// - Returns: Whether the filter is in place.
  static func installOnThisThread() -> Bool {
    typealias Control = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32
    guard let image = dlopen(nil, RTLD_NOW), let symbol = dlsym(image, "prctl") else { return false }
    let control = unsafeBitCast(symbol, to: Control.self)
    // Load the call's number; if it is io_setup, EPERM; else allow (linux/filter.h, linux/seccomp.h).
    let filter = [
      Instruction(code: 0x20, whenTrue: 0, whenFalse: 0, value: 0),
      Instruction(code: 0x15, whenTrue: 0, whenFalse: 1, value: UInt32(SYS_io_setup)),
      Instruction(code: 0x06, whenTrue: 0, whenFalse: 0, value: 0x0005_0000 | UInt32(EPERM)),
      Instruction(code: 0x06, whenTrue: 0, whenFalse: 0, value: 0x7FFF_0000),
    ]
    return filter.withUnsafeBytes { instructions in
      var program = Program(count: UInt16(filter.count), instructions: instructions.baseAddress)
      return withUnsafePointer(to: &program) { pointer in
        control(38, 1, 0, 0, 0) == 0 && control(22, 2, UInt(bitPattern: pointer), 0, 0) == 0
      }
    }
  }

  private struct Instruction {
    var code: UInt16
    var whenTrue: UInt8
    var whenFalse: UInt8
    var value: UInt32
  }

  private struct Program {
    var count: UInt16
    var instructions: UnsafeRawPointer?
  }
}
