internal import SealedLog

/// Records of one stream and one segment, packed: what one row of the index holds.
///
/// Rows of single records cost five times as much to add, three trees of SQLite each. Nothing is looked up within a block
/// but by reading its heads, which are small and lie together.
struct LogIndexBlock: Sendable {
  /// What a record is found and ordered by.
  struct Head: Sendable {
    let time: UInt64
    let recordID: UInt128
    /// ``RequestKey``.
    let key: Int64
  }

  /// A block that has reached either is not added to.
  static let fullRecords = 256
  static let fullBytes = 96 * 1024
  /// Time, record, key and the end of the record's META, little-endian.
  private static let headBytes = 36

  private(set) var heads: [UInt8] = []
  /// META of the records, one after the other.
  private(set) var metadata: [UInt8] = []

  init() {}

  /// Nil for bytes that no block of ours has.
  init?(heads: [UInt8], metadata: [UInt8]) {
    self.heads = heads
    self.metadata = metadata
    guard heads.count % Self.headBytes == 0 else { return nil }
    var end = 0
    for index in 0..<count {
      let next = self.end(index)
      guard next >= end, next <= metadata.count else { return nil }
      end = next
    }
    guard end == metadata.count else { return nil }
  }

  var count: Int { heads.count / Self.headBytes }
  var bytes: Int { heads.count + metadata.count }
  var isFull: Bool { count >= Self.fullRecords || bytes >= Self.fullBytes }

  subscript(index: Int) -> Head { heads.withUnsafeBytes { Self.head($0, index) } }

  private func json(_ index: Int) -> [UInt8] { Array(metadata[(index == 0 ? 0 : end(index - 1))..<end(index)]) }

  /// The record as it was added, but for its frame.
  func record(_ index: Int, _ stream: StreamName, _ segment: SegmentName) -> MetadataRecord {
    let head = self[index]
    return MetadataRecord(
      stream: stream, segment: segment, frame: 0, time: head.time, recordID: head.recordID, json: json(index))
  }

  /// The earliest and latest time.
  var times: (from: UInt64, to: UInt64) {
    (0..<count).reduce((UInt64.max, 0)) { (min($0.0, self[$1].time), max($0.1, self[$1].time)) }
  }

  mutating func append(_ head: Head, json: [UInt8]) {
    metadata.append(contentsOf: json)
    withUnsafeBytes(of: head.time.littleEndian) { heads.append(contentsOf: $0) }
    withUnsafeBytes(of: head.recordID.littleEndian) { heads.append(contentsOf: $0) }
    withUnsafeBytes(of: head.key.littleEndian) { heads.append(contentsOf: $0) }
    withUnsafeBytes(of: UInt32(truncatingIfNeeded: metadata.count).littleEndian) { heads.append(contentsOf: $0) }
  }

  /// The block without a record; the same one if it has none of that id.
  func without(_ recordID: UInt128) -> LogIndexBlock {
    var rest = LogIndexBlock()
    for index in 0..<count where self[index].recordID != recordID { rest.append(self[index], json: json(index)) }
    return rest
  }

  /// The heads of a block that is not read whole.
  static func heads(_ bytes: UnsafeRawBufferPointer) -> some Sequence<Head> {
    (0..<bytes.count / headBytes).lazy.map { head(bytes, $0) }
  }

  private func end(_ index: Int) -> Int {
    heads.withUnsafeBytes {
      Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: index * Self.headBytes + 32, as: UInt32.self)))
    }
  }

  private static func head(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Head {
    let at = index * headBytes
    return Head(
      time: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)),
      recordID: UInt128(littleEndian: bytes.loadUnaligned(fromByteOffset: at + 8, as: UInt128.self)),
      key: Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: at + 24, as: Int64.self)))
  }
}
