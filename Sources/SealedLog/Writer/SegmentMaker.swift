internal import Cryptography
internal import Synchronization
internal import Tenancy

/// Makes segments: random secret, HPKE seals, header, files, syncs. Slow, so it has a thread of its own.
///
/// Owned by the maker thread.
struct SegmentMaker {
  let log: String
  let node: NodeID
  let epoch: UInt32
  let disk: any LogDisk
  let clock: LogClock
  let options: WriterOptions
  let random: @Sendable (Int) throws(SealedLogError) -> [UInt8]
  let provider: any KeyProvider
  let signer: SignerBox
  let hasher: MerkleHasher
  var erasureKeys: ErasureKeyCache
  private var knownStreams: Set<StreamName>
  private var lister: StreamLister

  init(
    log: String, node: NodeID, epoch: UInt32, disk: any LogDisk, clock: LogClock, options: WriterOptions,
    random: @escaping @Sendable (Int) throws(SealedLogError) -> [UInt8], provider: any KeyProvider, signer: SignerBox
  ) throws(SealedLogError) {
    self.log = log
    self.node = node
    self.epoch = epoch
    self.disk = disk
    self.clock = clock
    self.options = options
    self.random = random
    self.provider = provider
    self.signer = signer
    hasher = try MerkleHasher()
    erasureKeys = ErasureKeyCache(provider: provider, lifetimeNanoseconds: options.keyCacheNanoseconds)
    knownStreams = []
    lister = StreamLister(log: log, host: options.host, disk: disk)
  }

  /// Makes a segment that waits for its START frame.
  /// - Parameter number: Nil when this process has not written the stream yet: its end is looked up and recovered.
  mutating func make(
    _ stream: StreamName, _ settings: StreamSettings, number: UInt32?, notes: StreamNotes
  ) throws(SealedLogError) -> MadeSegment {
    try renewSigner()
    var resume: ResumePoint?
    if number == nil {
      resume = try StreamRecovery(log: log, disk: disk, clock: clock, hasher: hasher).resume(stream)
    }
    let name = SegmentName(epoch: epoch, number: number ?? resume?.nextNumber ?? 1)
    var secret = try random(32)
    defer { SecureBytes.wipe(&secret) }
    let segment = SegmentID(try identifier())
    let erasureKey = try erasureKeys.key(settings.erasureKey, tenant: stream.tenant, now: clock.monotonic())
    var keys = try SegmentKeys(secret: secret, erasureKey: erasureKey, segment: segment)
    defer { keys.wipe() }
    let now = clock.wall()
    let fields = SegmentHeader.Fields(
      mode: stream.mode, tenant: stream.tenant, segment: segment, node: node, name: name, made: now,
      commitment: keys.commitment, policySet: settings.policySet, erasureVersion: settings.erasureKey.version,
      durability: settings.durability, bucketLog2: options.bucketLog2)
    let header = try SegmentHeader(
      fields, secret: secret, recipients: settings.recipients, signer: signer.current)
    let day = UTCDay.text(nanoseconds: now)
    let path = LogLayout.segment(log, stream, day: day, name)
    try Files.makeFolders("\(log)/\(stream)/\(day)")
    let slots = try SlotTable(
      tenant: stream.tenant, segment: segment, version: settings.erasureKey.version, keys: keys,
      tagKey: settings.tagKey)
    let (file, sidecarFile) = try files(path, header, stream)
    return MadeSegment(
      header: header, path: path, settings: settings, made: clock.monotonic(), file: file, sidecarFile: sidecarFile,
      slots: slots, notes: notes, resume: resume)
  }

  /// Puts the streams on the list of all streams, before their segments are written to: all at once, because the list is
  /// written and signed anew as a whole.
  mutating func list(_ streams: [StreamName]) throws(SealedLogError) {
    let new = streams.filter { !knownStreams.contains($0) }
    guard !new.isEmpty else { return }
    try lister.add(new, provider: provider)
    knownStreams.formUnion(new)
  }

  private func identifier() throws(SealedLogError) -> UInt128 {
    try random(16).reduce(into: UInt128(0)) { $0 = $0 << 8 | UInt128($1) }
  }

  /// The files get their names when they are whole and on the disk, the segment's the last: whoever finds a segment finds
  /// its header and its sidecar, and sees that it is owned for as long as this process has it.
  private func files(_ path: String, _ header: SegmentHeader, _ stream: StreamName) throws(SealedLogError)
    -> (any SegmentFile, any SegmentFile)
  {
    let head = SidecarHeader(
      tenant: stream.tenant, segment: header.fields.segment, version: header.fields.erasureVersion)
    let file = try begin(LogLayout.unnamed(path), header.bytes)
    var isNamed = false
    do throws(SealedLogError) {
      let sidecar = try self.sidecar(LogLayout.sidecar(of: path), head.bytes)
      do throws(SealedLogError) {
        try disk.rename(LogLayout.unnamed(path), to: path)
        isNamed = true
        if let end = path.lastIndex(of: "/") { try Files.synchronizeFolder(String(path[..<end])) }
        return (file, sidecar)
      } catch {
        sidecar.close()
        disk.remove(LogLayout.sidecar(of: path))
        throw error
      }
    } catch {
      file.close()
      disk.remove(isNamed ? path : LogLayout.unnamed(path))
      throw error
    }
  }

  private func sidecar(_ path: String, _ head: [UInt8]) throws(SealedLogError) -> any SegmentFile {
    let sidecar = try begin(LogLayout.unnamed(path), head)
    do throws(SealedLogError) {
      try disk.rename(LogLayout.unnamed(path), to: path)
      return sidecar
    } catch {
      sidecar.close()
      disk.remove(LogLayout.unnamed(path))
      throw error
    }
  }

  /// A new file with its first bytes, on the disk.
  private func begin(_ path: String, _ bytes: [UInt8]) throws(SealedLogError) -> any SegmentFile {
    let file = try disk.create(path)
    var number = file.appendAll(bytes, at: 0)
    if number == 0 { number = file.synchronize() }
    guard number == 0 else {
      file.close()
      disk.remove(path)
      throw .disk("new segment", number)
    }
    return file
  }

  private func renewSigner() throws(SealedLogError) {
    let now = clock.wall() / 1_000_000_000
    guard signer.current.wantsRenewal(now: now) else { return }
    do throws(SealedLogError) { signer.set(try NodeSigner(node: node, now: now, keys: provider)) } catch {
      // the old one still serves while its certificate is good
      guard signer.current.certificate.covers(nanoseconds: clock.wall()) else { throw error }
    }
  }

  /// Takes away a segment that was made ahead and will not be used.
  func discard(_ made: MadeSegment) {
    made.file.close()
    made.sidecarFile.close()
    disk.remove(made.path)
    disk.remove(LogLayout.sidecar(of: made.path))
  }

  /// Cuts a poisoned segment to its synced length over a new descriptor and ends it. Best effort: the next START says
  /// that its predecessor is poisoned.
  func end(poisoned segment: OpenSegment, at point: SegmentPoint) {
    segment.closeFiles()
    guard let file = try? disk.open(segment.path) else { return }
    defer { file.close() }
    guard point.frames > 0 else {
      _ = file.truncate(to: segment.header.bytes.count)
      return
    }
    let body = FooterBody(
      frames: point.frames, range: point.range, reason: .poisoned, note: segment.notes.newest?.bytes ?? [])
    guard file.truncate(to: point.bytes) == 0,
      let frame = try? ClearFrame.encode(.footer, seq: point.frames, time: clock.wall(), body: body.bytes, random: 0),
      file.appendAll(frame, at: point.bytes) == 0
    else { return }
    _ = file.synchronize()
  }

  /// Signs and stores the checkpoint of a durable state.
  func checkpoint(_ offer: StreamNotes.Offer, _ notes: StreamNotes) throws(SealedLogError) {
    let note = try CheckpointNote(
      origin: CheckpointNote.origin(host: options.host, stream: notes.stream), size: offer.tree.end,
      root: try hasher.root(of: offer.tree), segment: offer.segment, signer: signer.current)
    try disk.replace(
      LogLayout.checkpoint(log, notes.stream), with: note.bytes, synchronizingFolder: false)
    notes.keep(note)
  }
}

/// A segment that waits for its START frame. Handed from the maker's thread to the writer's.
struct MadeSegment: @unchecked Sendable {
  let header: SegmentHeader
  let path: String
  let settings: StreamSettings
  let made: UInt64
  let file: any SegmentFile
  let sidecarFile: any SegmentFile
  let slots: SlotTable
  let notes: StreamNotes
  /// Present when this is the first segment of the stream in this process.
  let resume: ResumePoint?

  /// Puts START into the segment, which is then open.
  func begin(
    at point: ResumePoint, signer: NodeSigner, time: UInt64, tools: SealingTools
  ) throws(SealedLogError) -> OpenSegment {
    let segment = OpenSegment(
      header: header, path: path, settings: settings, made: made, resumed: point, file: file,
      sidecarFile: sidecarFile, slots: slots, tools: tools, notes: notes)
    sidecarFile.goByMemory()
    file.goByMemory()
    let body = try StartBody.encode(
      tree: point.tree, previous: point.previous, flags: point.predecessorPoisoned ? StartBody.predecessorPoisoned : 0,
      segment: header.fields.segment, signer: signer, hasher: tools.hasher)
    try segment.seal(clear: .start, body: body, time: time)
    return segment
  }
}

/// The node's signer, renewed by the maker, read by the writer.
final class SignerBox: Sendable {
  private let value: Mutex<NodeSigner>
  init(_ signer: NodeSigner) { value = Mutex(signer) }
  var current: NodeSigner { value.withLock { $0 } }
  func set(_ signer: NodeSigner) { value.withLock { $0 = signer } }
}
