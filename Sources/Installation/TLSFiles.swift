import CLinux
import Frontend
import Glibc
import Synchronization

/// The endpoint's certificate and key as they lie on disk, and the listener's TLS that is made of them.
///
/// A pair that changes takes effect without a restart; a broken one keeps the old one in force and is reported. Once a
/// day all is made anew in any case, and with it the keys that seal the tickets of resumed sessions.
final class TLSFiles: Sendable {
  /// What a file was like when it was read; another one in its place has another.
  private struct Stamp: Equatable {
    private let parts: [Int64]

    init?(_ path: String) {
      var state = th_file_stamp()
      guard th_file_state(path, &state) == 1 else { return nil }
      parts = [
        Int64(truncatingIfNeeded: state.device), Int64(truncatingIfNeeded: state.number), state.size, state.seconds,
        state.nanoseconds,
      ]
    }
  }

  private struct State {
    var stamps: [Stamp?]
    var loadedAt: Int64
    var fault: String?
  }

  private let configuration: ServerConfiguration.TLS
  private let isProduction: Bool
  private let hosts: Set<String>
  private let now: @Sendable () -> Int64
  private let state: Mutex<State>
  private let reading = Mutex(())
  /// What the listener works with.
  let front: TLSFront

  private static let day: Int64 = 86_400
  /// Days before its end from which a certificate is spoken of.
  private static let warningDays: Int64 = 14

  /// - Parameter now: Unix seconds.
  init(
    _ configuration: ServerConfiguration.TLS, hosts: Set<String>, isProduction: Bool,
    now: @escaping @Sendable () -> Int64 = { Int64(time(nil)) }
  ) throws(InstallationError) {
    self.configuration = configuration
    self.isProduction = isProduction
    self.hosts = hosts
    self.now = now
    let stamps = Self.stamps(configuration)
    let context = try Self.load(configuration, isProduction: isProduction)
    front = TLSFront(context)
    state = Mutex(State(stamps: stamps, loadedAt: now(), fault: nil))
    warn(of: context)
  }

  /// What was wrong with the files when they were read last; nil if nothing was.
  var fault: String? { state.withLock { $0.fault } }

  /// Unix seconds until which clients take the certificate in force.
  var validUntil: Int64 { front.context.validUntil }

  /// Why clients do not take the certificate in force, or what is wrong with a newer one; nil if all is well.
  var trouble: String? { fault ?? Self.age(of: front.context, now()) }

  /// Reads the files if they have changed or were broken, if a day has gone, or if it is `asked` for.
  func refresh(asked: Bool) {
    // One at a time: an older reading can never replace a newer one.
    reading.withLock { _ in
      let stamps = Self.stamps(configuration)
      let (isDue, known) = state.withLock { state in
        (asked || state.fault != nil || state.stamps != stamps || now() - state.loadedAt >= Self.day, state.fault)
      }
      guard isDue else { return }
      do throws(InstallationError) {
        // Stamps from before the reading: what changes meanwhile is read the next time.
        let context = try Self.load(configuration, isProduction: isProduction)
        front.swap(context)
        state.withLock { $0 = State(stamps: stamps, loadedAt: now(), fault: nil) }
        warn(of: context)
      } catch {
        state.withLock { $0.fault = error.description }
        guard asked || known != error.description else { return }
        OperatorLog.say("the TLS files were not applied; the old ones stay in force\n\(error)")
      }
    }
  }

  // MARK: Reading

  private static func stamps(_ configuration: ServerConfiguration.TLS) -> [Stamp?] {
    let paths = [configuration.certificate, Secrets.path(configuration.key), configuration.clientAuthorities]
    return paths.map { $0.flatMap(Stamp.init) }
  }

  private static func load(_ configuration: ServerConfiguration.TLS, isProduction: Bool) throws(InstallationError)
    -> TLSContext
  {
    let chain = try file(configuration.certificate, configuration.place("certificate"))
    let key: [UInt8]
    do throws(InstallationError) { key = try Secrets.read(configuration.key, isProduction: isProduction) } catch {
      throw InstallationError(
        error.code, "the key of TLS: \(error.message)", place: configuration.place("key"), hint: error.hint)
    }
    var material = TLSContext.Material(chain: chain, key: key)
    if let path = configuration.clientAuthorities {
      material.clientAuthorities = try file(path, configuration.place("client-ca"))
    }
    do throws(TLSFault) { return try TLSContext(material, minimum: configuration.minimum) } catch {
      let key =
        switch error.part {
        case .certificate: "certificate"
        case .key: "key"
        case .clientAuthorities: "client-ca"
        case .library: "certificate"
        }
      throw InstallationError(
        .invalidConfiguration, error.message, place: configuration.place(key), hint: error.hint)
    }
  }

  private static func file(_ path: String, _ place: String) throws(InstallationError) -> [UInt8] {
    guard let bytes = FileBytes.read(path, limit: 1 << 20) else {
      throw InstallationError(
        .invalidConfiguration, "\(path) cannot be read", place: place, hint: "check path, owner and mode of the file")
    }
    return bytes
  }

  // MARK: What the operator should know

  private func warn(of context: TLSContext) {
    let now = now()
    let left = (context.validUntil - now) / Self.day
    if let age = Self.age(of: context, now) {
      OperatorLog.say("warning: \(age)")
    } else if left < Self.warningDays {
      OperatorLog.say("warning: the certificate of the endpoint ends in \(left) days: renew it")
    }
    for host in hosts.sorted() where !context.names(host) {
      OperatorLog.say("warning: the certificate of the endpoint does not name \(host), which listen.hosts serves")
    }
  }

  private static func age(of context: TLSContext, _ now: Int64) -> String? {
    if context.validUntil <= now {
      return "the certificate of the endpoint has expired, clients refuse it: renew it and send SIGHUP"
    }
    if context.validFrom > now {
      return "the certificate of the endpoint is not valid yet, clients refuse it: check this machine's clock"
    }
    return nil
  }
}
