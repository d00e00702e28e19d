import CLinux
import Glibc

/// Where the data plane listens.
public enum ListeningPlace: Sendable, Equatable {
  /// - port: 0 takes a free one.
  case network(address: String, port: Int)
  /// A Unix-domain socket; `mode` is its file's.
  case file(path: String, mode: UInt32)
  /// A listening socket that somebody else has opened: the service manager, or the process before this one.
  case inherited(descriptor: Int32)
}

public enum ListenerError: Error, Sendable, CustomStringConvertible {
  case unknownAddress(String)
  case portTaken(String)
  case refused(String, errno: Int32)
  /// A path that something other than a socket has, or that is too long for one.
  case noSocketPath(String)

  public var description: String {
    switch self {
    case .unknownAddress(let address): "'\(address)' is no address of this machine"
    case .portTaken(let place): "\(place) is taken"
    case .refused(let place, let code): "cannot listen on \(place): \(String(cString: strerror(code)))"
    case .noSocketPath(let path): "\(path) cannot be a socket: it is another kind of file, or longer than 107 bytes"
    }
  }
}

/// A socket that is bound and listens, before any loop has it.
struct ListeningSocket: Sendable {
  let descriptor: Int32
  /// The port in use; 0 for a file.
  let port: Int
  /// What to remove when nobody listens there any more; nil for sockets that others have made.
  let path: String?

  static let backlog: Int32 = 1024
  private static let kind = Int32(SOCK_STREAM.rawValue)
  private static let flags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)

  init(_ place: ListeningPlace) throws(ListenerError) {
    switch place {
    case .network(let address, let port): try self.init(address: address, port: port)
    case .file(let path, let mode): try self.init(path: path, mode: mode)
    case .inherited(let descriptor): self.init(inherited: descriptor)
    }
  }

  private init(inherited descriptor: Int32) {
    self.descriptor = descriptor
    port = Self.port(of: descriptor) ?? 0
    path = nil
  }

  private init(address: String, port: Int) throws(ListenerError) {
    var hints = addrinfo()
    hints.ai_socktype = Self.kind
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(address, String(port), &hints, &list) == 0, let first = list else {
      throw .unknownAddress(address)
    }
    defer { freeaddrinfo(list) }
    let place = "\(address):\(port)"
    var fault = ListenerError.unknownAddress(address)
    var candidate: UnsafeMutablePointer<addrinfo>? = first
    while let info = candidate {
      do throws(ListenerError) {
        (descriptor, self.port) = try Self.listen(info.pointee, place)
        path = nil
        return
      } catch { fault = error }
      candidate = info.pointee.ai_next
    }
    throw fault
  }

  private static func listen(_ info: addrinfo, _ place: String) throws(ListenerError) -> (Int32, Int) {
    let descriptor = socket(info.ai_family, info.ai_socktype | flags, info.ai_protocol)
    guard descriptor >= 0 else { throw .refused(place, errno: errno) }
    var one: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
    guard bind(descriptor, info.ai_addr, info.ai_addrlen) == 0, Glibc.listen(descriptor, backlog) == 0,
      let port = port(of: descriptor)
    else {
      let code = errno
      close(descriptor)
      throw code == EADDRINUSE ? .portTaken(place) : .refused(place, errno: code)
    }
    return (descriptor, port)
  }

  /// Nobody will accept from it.
  func discard() {
    if let path { unlink(path) }
    close(descriptor)
  }

  // MARK: A file

  private init(path: String, mode: UInt32) throws(ListenerError) {
    guard var address = Self.address(path) else { throw .noSocketPath(path) }
    try Self.clear(path, &address)
    let descriptor = socket(AF_UNIX, Self.kind | Self.flags, 0)
    guard descriptor >= 0 else { throw .refused(path, errno: errno) }
    // The file never has more rights than it is meant to have, not even for an instant: it is born with none.
    let isBound =
      fchmod(descriptor, 0) == 0 && Self.with(&address) { bind(descriptor, $0, $1) } == 0
      && chmod(path, mode) == 0 && Glibc.listen(descriptor, Self.backlog) == 0
    guard isBound else {
      let code = errno
      close(descriptor)
      throw code == EADDRINUSE ? .portTaken(path) : .refused(path, errno: code)
    }
    self.descriptor = descriptor
    port = 0
    self.path = path
  }

  /// Removes the socket of a process that is no more. Where somebody still answers, or no socket lies, nothing is touched.
  private static func clear(_ path: String, _ address: inout sockaddr_un) throws(ListenerError) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else { throw .noSocketPath(path) }
    let probe = socket(AF_UNIX, kind | flags, 0)
    guard probe >= 0 else { throw .refused(path, errno: errno) }
    defer { close(probe) }
    guard with(&address, { connect(probe, $0, $1) }) != 0, errno == ECONNREFUSED else { throw .portTaken(path) }
    unlink(path)
  }

  private static func address(_ path: String) -> sockaddr_un? {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    let isWhole = withUnsafeMutableBytes(of: &address.sun_path) { room -> Bool in
      guard !bytes.isEmpty, bytes.count < room.count, !bytes.contains(0) else { return false }
      room.copyBytes(from: bytes)
      return true
    }
    return isWhole ? address : nil
  }

  private static func with(_ address: inout sockaddr_un, _ call: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32
  {
    let length = socklen_t(MemoryLayout<sockaddr_un>.size)
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { call($0, length) }
    }
  }

  /// Bound to a loopback address or to a file.
  static func isLocal(_ descriptor: Int32) -> Bool {
    guard let storage = name(of: descriptor) else { return false }
    switch Int32(storage.ss_family) {
    case AF_UNIX: return true
    case AF_INET: return withUnsafeBytes(of: storage) { $0[4] == 127 }
    case AF_INET6: return withUnsafeBytes(of: storage) { $0[8..<23].allSatisfy { $0 == 0 } && $0[23] == 1 }
    default: return false
    }
  }

  private static func name(of descriptor: Int32) -> sockaddr_storage? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let status = withUnsafeMutablePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
    }
    return status == 0 ? storage : nil
  }

  private static func port(of descriptor: Int32) -> Int? {
    guard let storage = name(of: descriptor),
      Int32(storage.ss_family) == AF_INET || Int32(storage.ss_family) == AF_INET6
    else { return nil }
    // IPv4 and IPv6 addresses both have the port behind the family, most significant byte first.
    return withUnsafeBytes(of: storage) { Int(UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self))) }
  }
}
