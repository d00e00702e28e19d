public import Tenancy

/// One record, opened.
public struct OpenedRecord: Sendable, Equatable {
  public let recordID: UInt128
  /// When its newest frame was written, nanoseconds since 1970 UTC.
  public fileprivate(set) var time: UInt64 = 0
  public fileprivate(set) var mode = ContentMode.off
  public fileprivate(set) var request: [UInt8]?
  public fileprivate(set) var response: [UInt8]?
  public fileprivate(set) var responseIsAssembled = false
  public fileprivate(set) var metadata: [UInt8]?
  /// False: parts are missing, because the answer is still running or was never finished.
  public fileprivate(set) var isComplete = true
}

/// Where a record lies: narrows the search of ``LogReader/open(_:tenant:at:)``.
public struct LogLocation: Sendable, Equatable {
  public let recordID: UInt128
  public let stream: StreamName
  public let segment: SegmentName

  public init(recordID: UInt128, stream: StreamName, segment: SegmentName) {
    self.recordID = recordID
    self.stream = stream
    self.segment = segment
  }
}

/// Reads the sealed log of a folder, the open segments of a running writer too: it cuts at the last good frame.
///
/// Reads whole segments and calls the key provider: never on an event loop. Who may open content, and the ADMIN record
/// before it, is the caller's.
public final class LogReader: Sendable {
  private let log: String
  private let provider: any KeyProvider
  private let tenantKeys: @Sendable (TenantID) throws(SealedLogError) -> TenantKeys

  public init(
    folder: String, keys: any KeyProvider,
    tenantKeys: @escaping @Sendable (TenantID) throws(SealedLogError) -> TenantKeys
  ) {
    log = folder
    provider = keys
    self.tenantKeys = tenantKeys
  }

  // MARK: Metadata

  /// The tenant's META frames, newest first.
  /// - Parameters:
  ///   - from: Nanoseconds since 1970, inclusive.
  ///   - to: Exclusive.
  public func list(_ tenant: TenantID, from: UInt64 = 0, to: UInt64 = .max, limit: Int = 100) throws(SealedLogError)
    -> [MetadataRecord]
  {
    let keys = try tenantKeys(tenant)
    var records: [MetadataRecord] = []
    for stream in try StreamFolder.streams(log: log, tenant: tenant) {
      var found: [MetadataRecord] = []
      for segment in try StreamFolder(log: log, stream: stream).segments.reversed() where !segment.isStub {
        found += try metadata(of: segment, stream, keys, after: nil).filter { $0.time >= from && $0.time < to }
          .reversed()
        if found.count >= limit { break }
      }
      records += found
    }
    return Array(records.sorted { ($0.time, $0.frame) > ($1.time, $1.frame) }.prefix(max(0, limit)))
  }

  /// The streams on disk.
  public func streams() throws(SealedLogError) -> [StreamName] { try StreamFolder.streams(log: log) }

  /// META frames of one stream behind a position, oldest first, one call per segment: what an index missed.
  public func metadata(
    of stream: StreamName, after mark: IndexMark?, each: ([MetadataRecord]) throws(SealedLogError) -> Void
  ) throws(SealedLogError) {
    let segments = try StreamFolder(log: log, stream: stream).segments.filter { segment in
      guard let mark else { return !segment.isStub }
      return !segment.isStub && segment.name >= mark.segment
    }
    guard !segments.isEmpty else { return }
    let keys = try tenantKeys(stream.tenant)
    for segment in segments {
      let after = mark.flatMap { $0.segment == segment.name ? $0.frame : nil }
      let records = try metadata(of: segment, stream, keys, after: after)
      if !records.isEmpty { try each(records) }
    }
  }

  private func metadata(
    of segment: StreamFolder.Segment, _ stream: StreamName, _ keys: TenantKeys, after: UInt64?
  ) throws(SealedLogError) -> [MetadataRecord] {
    guard let (file, scan) = try scan(segment) else { return [] }
    let frames = scan.frames.filter { frame in
      frame.header.type == .metadata && (after.map { frame.header.seq > $0 } ?? true)
    }
    guard !frames.isEmpty else { return [] }
    let sidecar = try Sidecar(try Files.read(LogLayout.sidecar(of: segment.path)))
    guard SegmentKeyRing.hasKey(SlotTable.metadataSlot, in: sidecar) else { return [] }
    let ring = try SegmentKeyRing(
      header: scan.header, sidecar: sidecar, keys: keys, provider: provider, managed: nil)
    var records: [MetadataRecord] = []
    for frame in frames where frame.header.part == 0 {
      records.append(
        MetadataRecord(
          stream: stream, segment: segment.name, frame: frame.header.seq, time: frame.header.time,
          recordID: frame.header.record, json: try ring.open(frame, in: file)))
    }
    return records
  }

  /// Nil: made ahead, and maybe given up since the folder was read, or its header never became whole.
  private func scan(_ segment: StreamFolder.Segment) throws(SealedLogError) -> ([UInt8], SegmentScan)? {
    let file: [UInt8]
    do throws(SealedLogError) { file = try Files.read(segment.path) } catch {
      guard Files.exists(segment.path) else { return nil }
      throw error
    }
    guard let scan = try? SegmentScan(file), !scan.frames.isEmpty else { return nil }
    return (file, scan)
  }

  // MARK: Content

  /// Opens a record of this tenant.
  /// - Parameter location: From the index; without one all segments of the tenant are searched.
  /// - Throws: `notFound` for unknown ids and other tenants' alike, `notReadable` when it was erased or is the tenant's
  ///   own to open, `notAuthentic` when bytes were changed.
  public func open(_ recordID: UInt128, tenant: TenantID, at location: LogLocation? = nil) throws(SealedLogError)
    -> OpenedRecord
  {
    if let location, location.stream.tenant != tenant { throw .notFound }
    let streams = if let location { [location.stream] } else { try StreamFolder.streams(log: log, tenant: tenant) }
    for stream in streams {
      var search = RecordSearch(recordID: recordID)
      for segment in try StreamFolder(log: log, stream: stream).segments.reversed() where !segment.isStub {
        // content may follow its metadata's segment only after a poisoned one was written anew
        if let location, segment.name.number > location.segment.number &+ 1 { continue }
        guard let (file, scan) = try scan(segment) else { continue }
        let frames = scan.frames.filter { $0.header.record == recordID && !$0.header.type.isClear }
        guard !frames.isEmpty else { continue }
        let keys = try tenantKeys(tenant)
        let managed = stream.mode == .managed ? try keys.openManagedKey(provider: provider) : nil
        let ring = try SegmentKeyRing(
          header: scan.header, sidecar: try Sidecar(try Files.read(LogLayout.sidecar(of: segment.path))), keys: keys,
          provider: provider, managed: managed)
        for frame in frames { search.add(frame.header, try ring.open(frame, in: file)) }
        if search.hasBeginning(mode: stream.mode) { break }
      }
      if let record = search.record(mode: stream.mode) { return record }
    }
    throw .notFound
  }
}

/// Collects the frames of one record; segments are visited newest first, so the later copy of a part wins.
private struct RecordSearch {
  private struct Part {
    let payload: [UInt8]
    let isLast: Bool
  }

  private let recordID: UInt128
  private var parts: [FrameType: [UInt16: Part]] = [:]
  private var time: UInt64 = 0
  private var isAssembled = false

  init(recordID: UInt128) { self.recordID = recordID }

  mutating func add(_ header: FrameHeader, _ payload: [UInt8]) {
    time = max(time, header.time)
    if header.type == .response && header.flags & FrameHeader.assembled != 0 { isAssembled = true }
    guard parts[header.type]?[header.part] == nil else { return }
    parts[header.type, default: [:]][header.part] = Part(payload: payload, isLast: header.isLastPart)
  }

  func hasBeginning(mode: ContentMode) -> Bool {
    mode == .off ? parts[.metadata]?[0] != nil : parts[.request]?[0] != nil
  }

  private func whole(_ type: FrameType) -> (payload: [UInt8], isComplete: Bool)? {
    guard let all = parts[type] else { return nil }
    var payload: [UInt8] = []
    var number: UInt16 = 0
    while let part = all[number] {
      payload += part.payload
      if part.isLast { return (payload, true) }
      guard number < .max else { break }
      number += 1
    }
    return (payload, false)
  }

  func record(mode: ContentMode) -> OpenedRecord? {
    guard !parts.isEmpty else { return nil }
    var record = OpenedRecord(recordID: recordID)
    record.time = time
    record.mode = mode
    record.responseIsAssembled = isAssembled
    let (request, response, metadata) = (whole(.request), whole(.response), whole(.metadata))
    record.request = request?.payload
    record.response = response?.payload
    record.metadata = metadata?.payload
    record.isComplete = [request, response, metadata].allSatisfy { $0?.isComplete != false }
    return record
  }
}
