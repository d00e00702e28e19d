internal import Cryptography
internal import Glibc
internal import Tenancy

/// Verifies one stream: segment by segment, with the tree that runs through all of them.
struct StreamVerify {
  let log: String
  let stream: StreamName
  let installation: [UInt8]?
  let keys: LogVerify.Keys?
  let hasher: MerkleHasher
  let witnesses: [CheckpointNote]
  private(set) var result = LogVerification()

  /// The segment before the one at hand.
  private struct Predecessor {
    let name: SegmentName
    let id: SegmentID
    /// The segment and the tree that it says to go on from.
    let previous: SegmentID?
    let before: CompactRange
    let leaves: [Digest256]
    let tree: CompactRange
    let isUnfinished: Bool
  }

  /// Statements about the tree at some size, and which of them have been compared.
  private struct Statement {
    let size: UInt64
    let root: Digest256
    let what: String
  }

  private var predecessor: Predecessor?
  private var open: [Statement] = []
  /// Statements that contradict a segment without an end: no matter if the next one does not count so many of its frames.
  private var doubted: [Statement] = []

  /// A recovered segment stays a finding until so many segments have gone on from it: nobody can tell an offline reader
  /// that a recovery has been seen, and a crash of long ago must not hide the next one.
  private static let successorsOfOld = 2
  /// What a crash has left, each with how many segments went on from it without a break.
  private var crashes: [(name: SegmentName, text: String, successors: Int)] = []

  /// How far a segment had come when the verification began.
  private struct Extent {
    let bytes: Int
    let isOwned: Bool
  }

  init(
    log: String, stream: StreamName, installation: [UInt8]?, keys: LogVerify.Keys?, hasher: MerkleHasher,
    witnesses: [CheckpointNote]
  ) {
    self.log = log
    self.stream = stream
    self.installation = installation
    self.keys = keys
    self.hasher = hasher
    self.witnesses = witnesses
  }

  private mutating func find(_ code: LogVerification.Code, _ segment: SegmentName?, _ text: String) {
    result.findings.append(
      LogVerification.Finding(
        code: code, stream: stream.description, segment: segment?.description ?? "", text: text))
  }

  mutating func run() {
    // the checkpoint states only what was synced before: read first, all of it must be in the segments read later
    readCheckpoint()
    let segments: [StreamFolder.Segment]
    do { segments = try StreamFolder(log: log, stream: stream).segments } catch {
      return find(.couldNotRun, nil, "the stream's folder cannot be read: \(error.detail)")
    }
    let extents = look(segments)
    for (index, segment) in segments.enumerated() {
      guard let extent = extents[index] else { continue }
      check(segment, extent, isLast: index == segments.count - 1)
    }
    if let last = predecessor { contradict(last.name, upTo: .max) }
    let size = predecessor?.tree.end ?? 0
    for statement in open where statement.size > size {
      find(.truncated, predecessor?.name, "\(statement.what) states \(statement.size) frames, there are \(size)")
    }
    settleCrashes()
  }

  /// From the newest segment to the oldest: when one has begun its predecessor has ended, so whatever is written while the
  /// verification reads, what it reads is the log as it was at one time.
  private mutating func look(_ segments: [StreamFolder.Segment]) -> [Extent?] {
    var extents: [Extent?] = Array(repeating: nil, count: segments.count)
    for (index, segment) in segments.enumerated().reversed() {
      let descriptor = Glibc.open(segment.path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else {
        if errno != ENOENT { find(.couldNotRun, segment.name, "cannot be read") }  // ENOENT: made ahead and taken away
        continue
      }
      defer { close(descriptor) }
      // Asked before the size: what nobody owns grows no more.
      let isOwned = PosixDisk.isOwned(descriptor)
      guard let bytes = try? Files.size(descriptor) else {
        find(.couldNotRun, segment.name, "cannot be read")
        continue
      }
      extents[index] = Extent(bytes: bytes, isOwned: isOwned)
    }
    return extents
  }

  /// Old crashes are notes, the others findings.
  private mutating func settleCrashes() {
    for (name, text, successors) in crashes {
      if successors >= Self.successorsOfOld {
        result.notes.append(
          LogVerification.Note(
            stream: stream.description, segment: name.description,
            text: "\(text); \(successors) segments have gone on from it"))
      } else {
        find(.torn, name, text)
      }
    }
    crashes = []
  }

  private mutating func readCheckpoint() {
    let path = LogLayout.checkpoint(log, stream)
    if Files.exists(path) {
      if let note = try? CheckpointNote(try Files.read(path)) {
        take(note, "checkpoint", nil)
      } else {
        find(.modified, nil, "checkpoint is not authentic")
      }
    }
    for note in witnesses { take(note, "witness", nil) }
  }

  private mutating func take(_ note: CheckpointNote, _ what: String, _ segment: SegmentName?) {
    guard note.origin.hasSuffix("/log/\(stream)"), note.certificate.node == stream.node, isIssued(note.certificate)
    else {
      find(.modified, segment, "\(what) is of another stream or installation")
      return
    }
    open.append(Statement(size: note.size, root: note.root, what: what))
  }

  private func isIssued(_ certificate: NodeCertificate) -> Bool {
    installation.map { certificate.isIssued(by: $0) } ?? true
  }

  // MARK: One segment

  private mutating func check(_ segment: StreamFolder.Segment, _ extent: Extent, isLast: Bool) {
    let (name, isOwned) = (segment.name, extent.isOwned)
    let descriptor = Glibc.open(segment.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno != ENOENT { find(.couldNotRun, name, "cannot be read") }
      return
    }
    defer { close(descriptor) }
    guard let file = try? Files.read(descriptor, to: extent.bytes) else {
      find(.couldNotRun, name, "cannot be read")
      return
    }
    let scan: SegmentScan
    do { scan = try SegmentScan(file, isStub: segment.isStub) } catch {
      if isOwned { return }
      if SegmentHeader.isCutShort(file) {
        crashes.append((name, "was being made at an unclean stop", 0))
      } else {
        find(.modified, name, "header: \(error.detail)")
      }
      return
    }
    result.segments += 1
    result.frames += scan.frames.count
    if scan.header.stream != stream || scan.header.fields.name != name {
      find(.modified, name, "belongs to another stream or position")
    }
    if !isIssued(scan.header.certificate) { find(.modified, name, "certificate is not the installation's") }
    if scan.tail == .corrupt { find(.modified, name, "damaged before good frames, at byte \(scan.goodBytes)") }
    if scan.tail == .torn && !isOwned {
      let text = "torn tail at byte \(scan.goodBytes)"
      // Without a whole frame there is nothing to recover: the next segment goes on from the one before.
      if scan.frames.isEmpty { crashes.append((name, text, 0)) } else { find(.torn, name, text) }
    }
    guard !scan.frames.isEmpty else { return }  // made ahead, never used
    guard let start = try? scan.start(file, hasher: hasher), let leaves = try? scan.leaves(file, hasher: hasher) else {
      find(.modified, name, "START frame is not authentic")
      return
    }
    let before = result.findings.count
    chain(start, name)
    if result.findings.count > before {
      settleCrashes()  // what comes now has not gone on from them
    } else {
      for index in crashes.indices { crashes[index].successors += 1 }
    }
    tree(start, leaves, file, scan, isOwned: isOwned, isLast: isLast)
    sidecar(segment, file, scan, isOwned: isOwned)
  }

  /// START against what came before.
  private mutating func chain(_ start: StartBody, _ name: SegmentName) {
    guard let before = predecessor else {
      if start.previous != nil || start.tree.end > 0 { find(.gap, name, "earlier segments are missing") }
      return
    }
    contradict(before.name, upTo: start.tree.end)
    guard start.previous == before.id else {
      if isInsteadOf(before, start, name) {
        crashes.append((before.name, "was given up after a disk fault, \(name) was written instead", 0))
      } else {
        find(.gap, name, "does not follow \(before.name)")
      }
      return
    }
    let isPoisoned = start.flags & StartBody.predecessorPoisoned != 0
    if start.tree.end > before.tree.end {
      find(.truncated, before.name, "is shorter than \(name) says")
    } else if start.tree.end == before.tree.end {
      if start.tree != before.tree { find(.modified, before.name, "root is not the one in \(name)") }
    } else if !isPoisoned || (try? root(of: before, at: start.tree.end)) != start.root {
      find(.modified, before.name, "is longer than \(name) says")
    }
    if before.isUnfinished && !isPoisoned { find(.truncated, before.name, "has no footer") }
  }

  /// Whether a process gave a segment up of which nothing was on the disk, and was killed before it could empty it: its next
  /// one goes on from where that one did.
  private func isInsteadOf(_ before: Predecessor, _ start: StartBody, _ name: SegmentName) -> Bool {
    before.isUnfinished && before.name.epoch == name.epoch && before.previous == start.previous
      && before.before == start.tree
  }

  /// Tells of doubted statements as far as the frames count.
  private mutating func contradict(_ name: SegmentName, upTo size: UInt64) {
    for statement in doubted where statement.size <= size {
      find(.modified, name, "\(statement.what): root at \(statement.size) frames is another")
    }
    doubted = []
  }

  private func root(of segment: Predecessor, at size: UInt64) throws(SealedLogError) -> Digest256? {
    guard size >= segment.before.end else { return nil }
    var tree = segment.before
    for leaf in segment.leaves.prefix(Int(clamping: size - segment.before.end)) {
      try tree.append(leaf: leaf, hasher: hasher)
    }
    return try hasher.root(of: tree)
  }

  /// The leaves against FOOTER, CHECKPOINT frames, the checkpoint and witnesses.
  private mutating func tree(
    _ start: StartBody, _ leaves: [Digest256], _ file: [UInt8], _ scan: SegmentScan, isOwned: Bool, isLast: Bool
  ) {
    let name = scan.header.fields.name
    for frame in scan.frames where frame.header.type == .checkpoint { note(Array(file[frame.body]), name) }
    var footer: FooterBody?
    if let frame = scan.footer {
      footer = try? FooterBody(file[frame.body])
      if footer?.frames != frame.header.seq || footer?.range.begin != start.tree.end {
        find(.modified, name, "footer does not fit")
        footer = nil
      } else if let bytes = footer?.note, !bytes.isEmpty {
        note(bytes, name)
      }
    }
    var tree = start.tree
    var range = CompactRange(startingAt: start.tree.end)
    let isUnfinished = scan.footer == nil
    compare(tree, name)
    let isStub = footer.map { $0.frames > UInt64(scan.frames.count - 1) } ?? false
    if isStub, let footer {
      guard (try? tree.append(footer.range, hasher: hasher)) != nil else { return }
      range = footer.range
    }
    for (index, leaf) in leaves.enumerated() {
      let isFooter = scan.frames[index].header.type == .footer
      if isStub && !isFooter { continue }
      if isFooter {
        if let footer, footer.range != range { find(.modified, name, "footer's tree is not this one") }
        if footer?.reason == .poisoned { continue }
      }
      guard (try? tree.append(leaf: leaf, hasher: hasher)) != nil,
        isStub || (try? range.append(leaf: leaf, hasher: hasher)) != nil
      else { return }
      compare(tree, name, isUnfinished: isUnfinished)
    }
    if footer?.reason == .recovered { crashes.append((name, "was recovered after an unclean stop", 0)) }
    if footer?.reason == .poisoned { find(.torn, name, "was given up after a disk fault") }
    if scan.footer == nil && isLast && !isOwned && scan.tail == .clean { find(.torn, name, "was not ended") }
    predecessor = Predecessor(
      name: name, id: scan.header.fields.segment, previous: start.previous, before: start.tree, leaves: leaves,
      tree: tree,
      isUnfinished: isUnfinished)
  }

  private mutating func note(_ bytes: [UInt8], _ name: SegmentName) {
    guard let note = try? CheckpointNote(bytes) else {
      find(.modified, name, "checkpoint in the segment is not authentic")
      return
    }
    take(note, "checkpoint in \(name)", name)
  }

  private mutating func compare(_ tree: CompactRange, _ name: SegmentName, isUnfinished: Bool = false) {
    guard open.contains(where: { $0.size == tree.end }), let root = try? hasher.root(of: tree) else { return }
    if isUnfinished {
      doubted += open.filter { $0.size == tree.end && $0.root != root }
      return  // none is done with: the next segment may have frames of this number, too
    }
    for statement in open where statement.size == tree.end && statement.root != root {
      find(.modified, name, "\(statement.what): root at \(statement.size) frames is another")
    }
    open.removeAll { $0.size == tree.end }
  }

  // MARK: Keys

  private mutating func sidecar(
    _ segment: StreamFolder.Segment, _ file: [UInt8], _ scan: SegmentScan, isOwned: Bool
  ) {
    let name = segment.name
    let sealed = scan.frames.filter { !$0.header.type.isClear }
    guard !segment.isStub else { return }
    let path = LogLayout.sidecar(of: segment.path)
    guard let bytes = try? Files.read(path), let sidecar = try? Sidecar(bytes) else {
      find(.modified, name, Files.exists(path) ? "sidecar cannot be read" : "sidecar is missing")
      return
    }
    guard sidecar.header.tenant == stream.tenant, sidecar.header.segment == scan.header.fields.segment,
      sidecar.header.version >= scan.header.fields.erasureVersion
    else {
      find(.modified, name, "sidecar belongs to another segment")
      return
    }
    let slots = Set(sealed.map(\.header.slot))
    let missing = slots.filter { !SegmentKeyRing.hasKey($0, in: sidecar) }
    let isCutOff = sidecar.isTorn && !isOwned && !missing.isEmpty
    if sidecar.isModified || (isCutOff && isWellEnded(scan, file)) {
      find(.modified, name, "sidecar is damaged")
      return
    }
    // A power cut may keep frames of the last moment and not the keys that were written before them.
    if sidecar.isTorn && !isOwned {
      crashes.append((name, "torn tail of the sidecar" + (isCutOff ? ", with the keys of the last frames" : ""), 0))
    }
    if !missing.isEmpty && !isCutOff {
      result.erasedEntries += missing.count
      find(.erased, name, "\(missing.count) entries were erased")
    }
    guard let keys, !sealed.isEmpty else { return }
    do throws(SealedLogError) {
      try open(sealed.filter { !missing.contains($0.header.slot) }, file, scan, sidecar, keys)
    } catch {
      switch error.code {
      case .keyUnavailable: find(.couldNotRun, name, "keys: \(error.detail)")
      case .notReadable: find(.erased, name, "its erasure key was destroyed")
      default: find(.modified, name, "keys: \(error.detail)")
      }
    }
  }

  /// Whether the process that wrote a segment has ended it, with everything on the disk.
  private func isWellEnded(_ scan: SegmentScan, _ file: [UInt8]) -> Bool {
    guard let footer = scan.footer, let body = try? FooterBody(file[footer.body]) else { return false }
    return body.reason == .roll || body.reason == .stop
  }

  private mutating func open(
    _ frames: [SegmentScan.Frame], _ file: [UInt8], _ scan: SegmentScan, _ sidecar: Sidecar, _ keys: LogVerify.Keys
  ) throws(SealedLogError) {
    let tenant = try keys.tenantKeys(stream.tenant)
    let managed = stream.mode == .managed ? try tenant.openManagedKey(provider: keys.provider) : nil
    let ring = try SegmentKeyRing(
      header: scan.header, sidecar: sidecar, keys: tenant, provider: keys.provider, managed: managed)
    for slot in sidecar.entries.keys.sorted() { try ring.checkEntry(slot) }
    for frame in frames {
      if stream.mode == .writeOnly && frame.header.slot != SlotTable.metadataSlot { continue }
      do throws(SealedLogError) { _ = try ring.open(frame, in: file) } catch {
        find(.modified, scan.header.fields.name, "frame \(frame.header.seq): \(error.detail)")
      }
    }
  }
}
