public import Tenancy

/// Checks a log's folder, also one that a running server writes to.
public enum LogVerify {
  /// Lets the verification check every tag, too.
  public struct Keys: Sendable {
    let provider: any KeyProvider
    let tenantKeys: @Sendable (TenantID) throws(SealedLogError) -> TenantKeys

    public init(
      provider: any KeyProvider, tenantKeys: @escaping @Sendable (TenantID) throws(SealedLogError) -> TenantKeys
    ) {
      self.provider = provider
      self.tenantKeys = tenantKeys
    }
  }

  /// Never throws: what keeps it from running is a finding.
  /// - Parameters:
  ///   - installationKey: 32 bytes; nil: the one in the folder, which proves consistency only.
  ///   - keys: Nil: structure, signatures and tree only.
  ///   - tenant: Nil: all. Else only this tenant's streams are read and counted, and nothing of another's is told.
  ///   - witness: Checkpoint notes that were kept elsewhere.
  public static func verify(
    folder: String, tenant: TenantID? = nil, installationKey: [UInt8]? = nil, keys: Keys? = nil, witness: [[UInt8]] = []
  ) -> LogVerification {
    var result = LogVerification()
    func fail(_ code: LogVerification.Code, _ text: String) {
      result.findings.append(LogVerification.Finding(code: code, stream: "", segment: "", text: text))
    }
    guard Files.exists(folder), let hasher = try? MerkleHasher() else {
      fail(.couldNotRun, "no such folder")
      return result
    }
    let installation = installationKey ?? (try? Files.read(LogLayout.installationKey(folder)))
    var witnesses: [CheckpointNote] = []
    for bytes in witness {
      guard let note = try? CheckpointNote(bytes) else {
        fail(.modified, "witness note is not authentic")
        continue
      }
      witnesses.append(note)
    }
    // the list is read before the folders: a stream that is made meanwhile is no finding
    let listed = (try? Files.read(LogLayout.streamList(folder))).map { try? StreamLister.read($0) }
    func isAsked(_ stream: StreamName) -> Bool { tenant.map { $0 == stream.tenant } ?? true }
    let present: [StreamName]
    do { present = try StreamFolder.streams(log: folder) } catch {
      fail(.couldNotRun, "the folder cannot be read: \(error.detail)")
      return result
    }
    let found = present.filter(isAsked)
    switch listed {
    case .some(.some(let list)):
      if let installation, !list.isSigned(by: installation) { fail(.modified, "stream list is not authentic") }
      for stream in list.streams where isAsked(stream) && isEmpty(folder, stream) {
        fail(.gap, "stream \(stream) is missing")
      }
      let unlisted = Set(found).subtracting(list.streams).filter { hasFrames(folder, $0) }
      // Read once more: a running server may have added a stream and written to it since.
      let newer = unlisted.isEmpty ? nil : try? StreamLister.read(Files.read(LogLayout.streamList(folder)))
      for stream in unlisted.subtracting(newer?.streams ?? []).sorted() {
        fail(.truncated, "stream list was rolled back: stream \(stream) is not in it")
      }
    case .some(.none): fail(.modified, "stream list cannot be read")
    // A stream is in the list before it has its first frame; looked for once more, as above.
    case .none:
      if present.contains(where: { hasFrames(folder, $0) }), !Files.exists(LogLayout.streamList(folder)) {
        fail(.gap, "stream list is missing")
      }
    }
    for stream in found {
      var check = StreamVerify(
        log: folder, stream: stream, installation: installation, keys: keys, hasher: hasher,
        witnesses: witnesses.filter { $0.origin.hasSuffix("/log/\(stream)") })
      check.run()
      result.streams += 1
      result.segments += check.result.segments
      result.frames += check.result.frames
      result.erasedEntries += check.result.erasedEntries
      result.findings += check.result.findings
      result.notes += check.result.notes
    }
    for witness in witnesses where !found.contains(where: { witness.origin.hasSuffix("/log/\($0)") }) {
      guard let stream = StreamName(origin: witness.origin) else {
        fail(.modified, "witness is of no stream")
        continue
      }
      if isAsked(stream) { fail(.gap, "stream \(stream) is missing: witness states \(witness.size) frames") }
    }
    return result
  }

  /// What cannot be read is told where the stream itself is read.
  private static func isEmpty(_ folder: String, _ stream: StreamName) -> Bool {
    (try? StreamFolder(log: folder, stream: stream))?.segments.isEmpty == true
  }

  private static func hasFrames(_ folder: String, _ stream: StreamName) -> Bool {
    guard let segments = try? StreamFolder(log: folder, stream: stream).segments else { return true }
    return segments.contains { segment in
      guard let file = try? Files.read(segment.path) else { return true }
      guard let scan = try? SegmentScan(file, isStub: segment.isStub) else { return !SegmentHeader.isCutShort(file) }
      return file.count > scan.header.bytes.count
    }
  }
}
