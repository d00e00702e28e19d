import CLinux
import Frontend
import Glibc

/// Listening sockets that were open before this process began: the service manager's (`LISTEN_FDS`, socket activation) or
/// those of the process that this one takes over from.
///
/// A socket named `admin` is the Admin API's, every other one the endpoint's.
package struct InheritedSockets: Sendable, Equatable {
  package var api: [Int32] = []
  package var admin: Int32?

  package static let adminName = "admin"
  /// The number of the first one, as the protocol has it.
  private static let first: Int32 = 3
  private static let most: Int32 = 64

  /// Nothing was inherited.
  package init() {}

  /// Takes the sockets that the environment tells of, and the news of them out of the environment: the processes that
  /// this one starts have no such sockets.
  /// - Parameter isHandedOver: The process before this one says so in its own way, and knows no process id of ours.
  package static func take(isHandedOver: Bool) throws(InstallationError) -> InheritedSockets {
    defer { for name in ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"] { unsetenv(name) } }
    let sockets = try InheritedSockets(
      count: Environment.value("LISTEN_FDS"), process: Environment.value("LISTEN_PID"),
      names: Environment.value("LISTEN_FDNAMES"), own: isHandedOver ? nil : getpid())
    for descriptor in sockets.all { try prepare(descriptor) }
    if let admin = sockets.admin, !FrontendServer.isLocal(admin) {
      throw wrong("the Admin API's is neither on a loopback address nor a Unix-domain socket")
    }
    return sockets
  }

  /// - Parameter own: This process's id: what is meant for another one is not ours. Nil: not looked at.
  init(count: String?, process: String?, names: String?, own: Int32?) throws(InstallationError) {
    guard let count, own == nil || process == own.map({ String($0) }) else { return }
    guard let number = Int32(count), (0...Self.most).contains(number) else {
      throw Self.wrong("LISTEN_FDS is '\(count)'; a number up to \(Self.most) is expected")
    }
    let names = names.map { $0.split(separator: ":", omittingEmptySubsequences: false).map(String.init) } ?? []
    guard names.isEmpty || names.count == Int(number) else {
      throw Self.wrong("LISTEN_FDNAMES has \(names.count) names for \(number) sockets")
    }
    for index in 0..<Int(number) {
      let descriptor = Self.first + Int32(index)
      guard names.indices.contains(index), names[index] == Self.adminName else {
        api.append(descriptor)
        continue
      }
      guard admin == nil else { throw Self.wrong("two inherited sockets are named '\(Self.adminName)'") }
      admin = descriptor
    }
  }

  private var all: [Int32] { api + (admin.map { [$0] } ?? []) }

  private static func prepare(_ descriptor: Int32) throws(InstallationError) {
    guard option(descriptor, SO_TYPE) == Int32(SOCK_STREAM.rawValue), option(descriptor, SO_ACCEPTCONN) == 1 else {
      throw wrong("descriptor \(descriptor) is no stream socket that listens")
    }
    guard th_prepare_inherited(descriptor) == 0 else { throw wrong("descriptor \(descriptor) cannot be prepared") }
  }

  private static func option(_ descriptor: Int32, _ name: Int32) -> Int32? {
    var value: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
  }

  private static func wrong(_ message: String) -> InstallationError {
    InstallationError(
      .invalidConfiguration, "the inherited sockets cannot be used: \(message)",
      hint: "look at the socket unit: ListenStream=, and FileDescriptorName=admin for the Admin API's")
  }
}

/// The process's environment.
enum Environment {
  static func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

  static var all: [String: String] {
    var all: [String: String] = [:]
    var next = th_environment()
    while let entry = next?.pointee {
      let parts = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { all[String(parts[0])] = String(parts[1]) }
      next = next?.advanced(by: 1)
    }
    return all
  }
}
