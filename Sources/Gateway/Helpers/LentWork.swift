import Synchronization
import Tenancy

/// A piece of a large exchange's way that would hold up its loop, on its way to a helper's thread and back.
///
/// While it is lent the loop neither ends nor reuses the exchange, and touches nothing of it that the work needs: request,
/// edits, bodies. It may note that the client has gone, and call the work off.
final class LentWork: @unchecked Sendable {
  // Its loop's until it is queued, then its helper's, then its loop's again; locks lie in between.

  enum Part {
    /// Stages 3 to 5: scan, rules, redaction.
    case understanding
    /// The body for a candidate; once more from the original if `rewrites`.
    case writing(CallableModel, rewrites: Bool)
    /// A plain answer in the client's words.
    case reading
    /// Something of the store of files and batches, which may block.
    case desk(DeskTask)
  }

  enum Outcome {
    case step(RequestPipeline.Step)
    case reading(PlainReading)
    /// Nobody wanted it any more.
    case dropped
  }

  let exchange: Exchange
  let part: Part
  let tenant: TenantID
  let loop: Int
  let ticket: UInt64
  let bytes: Int
  /// When it was given away, for those that wait so long and no longer.
  var since: Int64 = 0
  var outcome = Outcome.dropped
  var nanoseconds: Int64 = 0
  private let isUnwanted = Atomic<Bool>(false)

  init(_ exchange: Exchange, _ part: Part, tenant: TenantID, loop: Int, bytes: Int) {
    self.exchange = exchange
    self.part = part
    self.tenant = tenant
    self.loop = loop
    self.bytes = bytes
    ticket = exchange.ticket
  }

  /// Its result is not wanted any more; it comes back all the same, and soon. An answer is read and kept in any case: what it
  /// has cost stands in it, and what runs at a provider must be known.
  func callOff() {
    if case .reading = part { return }
    if case .desk(.keep) = part { return }
    isUnwanted.store(true, ordering: .relaxed)
  }

  var isCalledOff: Bool { isUnwanted.load(ordering: .relaxed) }
}
