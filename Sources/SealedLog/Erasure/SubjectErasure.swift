internal import Cryptography
internal import Glibc
internal import Tenancy

/// What one pass of an erasure did.
public struct ErasureReceipt: Sendable, Equatable {
  /// Entries dropped: each took the key of one person in one segment.
  public internal(set) var dropped = 0
  /// Sidecars now under the newest erasure key.
  public internal(set) var rewritten = 0
  /// Segments that a writer still has open: roll them and repeat before the old erasure keys are destroyed.
  public internal(set) var open = 0
}

/// Erases people by dropping their keys from all sidecars of a tenant, and moves the sidecars to the newest erasure key.
///
/// The order around it, each step safe to repeat after a crash: ``TenantKeys/rotateErasureKey(provider:)`` and store the
/// set; give the gateway streams made from it; ``LogWriter/roll(_:)``; ``run(_:keys:)`` until nothing is open;
/// ``TenantKeys/dropErasureKeys(before:provider:)``, which makes copies of old sidecars worthless.
public struct SubjectErasure {
  private let log: String
  private let provider: any KeyProvider

  public init(folder: String, provider: any KeyProvider) {
    log = folder
    self.provider = provider
  }

  /// - Parameters:
  ///   - subjects: Empty: only the outer layers are renewed.
  ///   - keys: With every version under which a sidecar may still be.
  public func run(_ subjects: [Subject], keys: TenantKeys) throws(SealedLogError) -> ErasureReceipt {
    var tags: Set<UInt128> = []
    let tagKey = try sealing { () throws(CryptographyError) in try HMACKey(keys.tagKey) }
    for subject in subjects {
      tags.insert(try sealing { () throws(CryptographyError) in try SubjectTag.make(subject, key: tagKey) })
    }
    var receipt = ErasureReceipt()
    for stream in try StreamFolder.streams(log: log, tenant: keys.tenant) {
      for segment in try StreamFolder(log: log, stream: stream).segments where !segment.isStub {
        try rewrite(segment, tags, keys, &receipt)
      }
    }
    return receipt
  }

  private func rewrite(
    _ segment: StreamFolder.Segment, _ tags: Set<UInt128>, _ keys: TenantKeys, _ receipt: inout ErasureReceipt
  ) throws(SealedLogError) {
    let descriptor = Glibc.open(segment.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let number = errno
      guard number == ENOENT else { throw .disk("open", number) }
      return
    }
    defer { close(descriptor) }
    guard !PosixDisk.isOwned(descriptor) else {
      receipt.open += 1
      return
    }
    let path = LogLayout.sidecar(of: segment.path)
    guard try Files.size(ifThere: path) != nil else { return }
    // Not passed over: the keys that are destroyed next may be all that opens what it has.
    let sidecar = try Sidecar(try Files.read(path))
    let dropped = sidecar.entries.values.filter { $0.kind != .join && $0.tag != 0 && tags.contains($0.tag) }
    guard !dropped.isEmpty || sidecar.header.version != keys.erasureVersion else { return }
    let lost = Set(dropped.map(\.slot))
    let header = SidecarHeader(
      tenant: sidecar.header.tenant, segment: sidecar.header.segment, version: keys.erasureVersion)
    let old = try outer(sidecar.header, keys)
    let new = try outer(header, keys)
    var bytes = header.bytes
    for entry in sidecar.entries.values.sorted(by: { $0.slot < $1.slot }) where !lost.contains(entry.slot) {
      guard entry.kind != .join else {
        bytes += entry.bytes
        continue
      }
      let plain = try SidecarCipher.open(entry, header: sidecar.header, outer: old)
      bytes += try SidecarCipher.seal(
        plain, slot: entry.slot, kind: entry.kind, count: entry.count, expires: entry.expires, tag: entry.tag,
        tenant: header.tenant, segment: header.segment, version: header.version, outer: new
      ).bytes
    }
    try Files.replace(path, with: bytes)
    receipt.dropped += dropped.count
    receipt.rewritten += 1
  }

  private func outer(_ header: SidecarHeader, _ keys: TenantKeys) throws(SealedLogError) -> AESGCMKey {
    var erasureKey = try keys.openErasureKey(header.version, provider: provider)
    defer { SecureBytes.wipe(&erasureKey) }
    let key = try SegmentKeys.outer(erasureKey, header.segment)
    return try sealing { () throws(CryptographyError) in try AESGCMKey(key) }
  }
}
