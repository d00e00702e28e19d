public import Cryptography
internal import Synchronization
public import Tenancy

/// Where a record goes and under which keys: one per tenant and policy snapshot, shared by all its exchanges.
///
/// Copying costs one reference count. A stream with other settings makes the writer begin a new segment.
public struct LogStream: Sendable {
  let settings: StreamSettings

  public var tenant: TenantID { settings.tenant }
  public var mode: ContentMode { settings.mode }
  public var durability: Durability { settings.durability }
}

/// What all segments of a stream have in common until it changes, and how much of it waits.
final class StreamSettings: Sendable {
  let tenant: TenantID
  let mode: ContentMode
  let durability: Durability
  let recipients: [RecipientKey]
  let erasureKey: WrappedKey
  let tagKey: [UInt8]
  let policySet: [UInt8]
  let backlog: Backlog

  init(
    tenant: TenantID, mode: ContentMode, durability: Durability, recipients: [RecipientKey], erasureKey: WrappedKey,
    tagKey: [UInt8], policySet: [UInt8], backlog: Backlog
  ) {
    self.tenant = tenant
    self.mode = mode
    self.durability = durability
    self.recipients = recipients
    self.erasureKey = erasureKey
    self.tagKey = tagKey
    self.policySet = policySet
    self.backlog = backlog
  }

  /// Whether a segment made for `other` may hold this stream's records.
  func seals(like other: StreamSettings) -> Bool {
    self === other
      || (durability == other.durability && recipients == other.recipients && erasureKey == other.erasureKey
        && policySet == other.policySet)
  }
}

/// What of one tenant waits in the writer, readable from any thread.
final class Backlog: Sendable {
  /// Bytes of entries that are not yet written and synced.
  let bytes = Atomic<Int>(0)
  /// Monotonic time at which the oldest entry that could not be written was queued; 0: none waits.
  let oldest = Atomic<UInt64>(0)
}

extension TenantKeys {
  /// The stream for records under these settings.
  /// - Parameters:
  ///   - recipients: For `write-only` the tenant's own keys; else empty.
  ///   - policySet: Hash of the policy set, stands in segment headers.
  ///   - acceptingLoss: Allows a single `write-only` recipient: losing its key loses the content.
  /// - Throws: `invalidRecipients` when the list does not fit the mode, or mixes post-quantum with other keys.
  public func stream(
    mode: ContentMode, durability: Durability, recipients: [RecipientKey] = [], policySet: Digest256 = Digest256(),
    acceptingLoss: Bool = false
  ) throws(SealedLogError) -> LogStream {
    var sealed = recipients
    switch mode {
    case .managed, .off:
      guard recipients.isEmpty else {
        throw SealedLogError(.invalidRecipients, "Only the mode write-only takes recipients.")
      }
      sealed = mode == .managed ? [managedRecipient] : []
    case .writeOnly:
      guard recipients.count >= (acceptingLoss ? 1 : 2), Set(recipients).count == recipients.count else {
        throw SealedLogError(
          .invalidRecipients, "The mode write-only needs two different recipients, the tenant and its deposit.")
      }
      guard Set(recipients.map(\.suite.isPostQuantum)).count == 1 else {
        throw SealedLogError(.invalidRecipients, "All recipients must be of one class, post-quantum or not.")
      }
    }
    guard let erasureKey = erasureKeys.last else {
      throw SealedLogError(.keyUnavailable, "The tenant has no erasure key.")
    }
    return LogStream(
      settings: StreamSettings(
        tenant: tenant, mode: mode, durability: durability, recipients: sealed, erasureKey: erasureKey,
        tagKey: tagKey, policySet: policySet.bytes, backlog: backlog))
  }
}
