import CLinux
import Glibc

/// A process that was started to take this one's place: the same program, maybe in a newer version, with the same
/// arguments and with the listening sockets.
struct Successor: Sendable {
  private static let patience: Int32 = 10_000

  let process: Int32
  private let wire: HandOverWire

  /// Where the program lay when this process began; a newer one may lie there now.
  static let program: String? = {
    var path = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &path, path.count - 1)
    return count > 0 ? String(decoding: path.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
  }()

  /// - Parameter sockets: Listening sockets by their names in `LISTEN_FDNAMES`; they stay open here.
  /// - Returns: Nil if it could not be started.
  static func start(_ sockets: [(descriptor: Int32, name: String)]) -> Successor? {
    guard let program else { return nil }
    var ends: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
      return nil
    }
    let first: Int32 = 3
    var environment = Environment.all.filter { name, _ in !name.hasPrefix("LISTEN_") && name != Relief.variable }
    environment["LISTEN_FDS"] = String(sockets.count)
    environment["LISTEN_FDNAMES"] = sockets.map(\.name).joined(separator: ":")
    environment[Relief.variable] = "\(first + Int32(sockets.count)):\(getpid())"
    let process = spawn(
      program, CommandLine.arguments, environment.map { "\($0)=\($1)" }, sockets.map(\.descriptor) + [ends[1]], first)
    close(ends[1])
    guard let process else {
      close(ends[0])
      return nil
    }
    return Successor(process: process, wire: HandOverWire(descriptor: ends[0]))
  }

  private static func spawn(
    _ program: String, _ arguments: [String], _ environment: [String], _ descriptors: [Int32], _ first: Int32
  ) -> Int32? {
    // Numbers that no target has: giving one descriptor its place must not close the next.
    let copies = descriptors.map { fcntl($0, F_DUPFD_CLOEXEC, first + Int32(descriptors.count)) }
    defer { for copy in copies where copy >= 0 { close(copy) } }
    guard copies.allSatisfy({ $0 >= 0 }) else { return nil }
    let argv = arguments.map { strdup($0) } + [nil]
    let envp = environment.map { strdup($0) } + [nil]
    defer { for text in argv + envp { free(text) } }
    let process = copies.withUnsafeBufferPointer {
      th_spawn(program, argv, envp, $0.baseAddress, Int32($0.count), first)
    }
    return process > 0 ? process : nil
  }

  /// Waits until it has opened and loaded everything; blocks.
  func isPrepared() -> Bool { wire.hear(.prepared, milliseconds: Self.patience) }

  /// Has it serve, and waits until it does; blocks.
  func serves() -> Bool { Self.serves(wire) }

  /// It can have gone on alone and closed its end before it was told to: only what it has said counts then.
  static func serves(_ wire: HandOverWire) -> Bool {
    _ = wire.say(.go)
    return wire.hear(.serving, milliseconds: patience)
  }

  /// It will not serve: ends it.
  func end() {
    kill(process, SIGKILL)
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    wire.close()
  }

  func leave() { wire.close() }
}
