import Admin
import Cryptography
import Gateway
import Glibc
import Policies
import SealedLog
import StorageSQLite
import Tenancy

/// Answers the Admin API from the installation's stores. A change is durable first and then in force: the snapshot is
/// rebuilt before the call returns, so that a revoked key is dead when its administrator reads so.
final class Administration: Sendable {
  let core: InstallationCore

  init(core: InstallationCore) { self.core = core }

  func services(metrics: any MetricsText) -> AdminServices {
    AdminServices(
      tenancy: self, quotas: self, usage: self, log: self, audit: self, health: self, metrics: metrics,
      clock: AdminClock(
        now: { Timestamp(nanoseconds: Int64(Self.now() * 1_000_000_000)) },
        monotonic: { SystemClock().monotonicNanoseconds }),
      makeRequestID: { RequestID((try? SecureBytes.randomID()) ?? 0).text })
  }

  static func now() -> Int64 { Int64(time(nil)) }

  /// Says a store's error in the Admin API's words.
  func adapting<Result>(_ work: () throws -> Result) throws -> Result {
    do { return try work() } catch let error as TenancyError {
      switch error.code {
      case .notFound: throw AdminError.notFound
      case .conflict: throw AdminError(.conflict, error.message)
      case .invalid: throw AdminError.invalid(error.message)
      default: throw AdminError(.internalFailure, "the store could not do its work", detail: error.detail)
      }
    }
  }

  func changing<Result>(_ work: () throws -> Result) throws -> Result {
    let result = try adapting(work)
    try core.rebuild()
    return result
  }

  /// A fresh credential: what is shown once, and the digest that is kept.
  func credential(_ kind: KeyToken.Kind) throws -> (text: String, id: UInt128, digest: Digest256) {
    let made = try KeyToken.generate(kind) { (count) throws(CryptographyError) in try SecureBytes.random(count) }
    return (
      String(decoding: made.text, as: UTF8.self), made.token.id,
      try KeyToken.digest(of: made.text, pepper: try HMACKey(core.pepper))
    )
  }
}
