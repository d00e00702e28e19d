internal import Glibc

/// Where the next segment of a stream goes on.
struct ResumePoint: Sendable, Equatable {
  var tree = CompactRange(startingAt: 0)
  var previous: SegmentID?
  /// Told in the next START: the predecessor has no footer that counts.
  var predecessorPoisoned = false
  var nextNumber: UInt32 = 1
}

/// Brings the last segment of a stream to an end after a process died: cut at the last good frame, FOOTER (recovered).
///
/// Idempotent: a crash inside of it is repaired by the next one. Only clear frames are written, nothing is encrypted
/// into a segment that another process made.
struct StreamRecovery {
  let log: String
  let disk: any LogDisk
  let clock: LogClock
  let hasher: MerkleHasher

  func resume(_ stream: StreamName) throws(SealedLogError) -> ResumePoint {
    let folder = try StreamFolder(log: log, stream: stream)
    for path in folder.unnamed where !PosixDisk.isOwned(path) { disk.remove(path) }
    var point = ResumePoint()
    guard let newest = folder.segments.last else { return point }
    guard newest.name.number < .max else { throw .malformed("segment numbers are used up") }
    point.nextNumber = newest.name.number + 1
    for segment in folder.segments.reversed() {
      if let found = try resume(from: segment) {
        point.tree = found.tree
        point.previous = found.previous
        point.predecessorPoisoned = found.predecessorPoisoned
        return point
      }
    }
    return point
  }

  /// Nil: the segment holds nothing that the tree could go on from.
  private func resume(from segment: StreamFolder.Segment) throws(SealedLogError) -> ResumePoint? {
    let file = try Files.read(segment.path)
    guard let scan = try? SegmentScan(file) else { return nil }  // made, but its header never became whole
    guard let start = try? scan.start(file, hasher: hasher) else { return nil }
    var point = ResumePoint(tree: start.tree, previous: scan.header.fields.segment)
    if let footer = scan.footer, let body = try? FooterBody(file[footer.body]), scan.tail == .clean {
      try point.tree.append(body.range, hasher: hasher)
      if body.reason == .poisoned {
        point.predecessorPoisoned = true
      } else {
        try point.tree.append(leaf: try SegmentScan.leaf(file, footer, hasher: hasher), hasher: hasher)
      }
      return point
    }
    var range = CompactRange(startingAt: start.tree.end)
    for leaf in try scan.leaves(file, hasher: hasher) { try range.append(leaf: leaf, hasher: hasher) }
    try point.tree.append(range, hasher: hasher)
    if scan.tail == .corrupt {  // quarantined: every byte stays, verify tells
      point.predecessorPoisoned = true
      return point
    }
    let note = (try? Files.read("\(folder(of: segment))/checkpoint")) ?? []
    let body = FooterBody(
      frames: UInt64(scan.frames.count), range: range, reason: .recovered,
      note: (try? CheckpointNote(note)) == nil ? [] : note)
    let frame = try ClearFrame.encode(
      .footer, seq: UInt64(scan.frames.count), time: clock.wall(), body: body.bytes, random: 0)
    try end(segment.path, cutAt: scan.goodBytes, appending: frame)
    try point.tree.append(leaf: try ClearFrame.leaf(frame, hasher: hasher), hasher: hasher)
    return point
  }

  private func folder(of segment: StreamFolder.Segment) -> String {
    segment.path.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
  }

  private func end(_ path: String, cutAt length: Int, appending frame: [UInt8]) throws(SealedLogError) {
    // The keys of its frames may be in no sync yet, either.
    let sidecarPath = LogLayout.sidecar(of: path)
    if try Files.size(ifThere: sidecarPath) != nil {
      let sidecar = try disk.open(sidecarPath)
      defer { sidecar.close() }
      let number = sidecar.synchronize()
      guard number == 0 else { throw .disk("recovery", number) }
    }
    let file = try disk.open(path)
    defer { file.close() }
    var number = file.truncate(to: length)
    if number == 0 { number = file.appendAll(frame, at: length) }
    if number == 0 { number = file.synchronize() }
    guard number == 0 else { throw .disk("recovery", number) }
  }
}
