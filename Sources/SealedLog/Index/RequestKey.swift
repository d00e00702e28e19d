/// What the index finds a record by: 64 bits of its request id's text, stable across starts. Others may share them, so
/// whoever looks compares the text as well.
public enum RequestKey {
  private static let beginning: StaticString = "{\"v\":1,\"request_id\":\""

  public static func of(_ requestID: String) -> Int64 {
    var hash = Hash()
    for byte in requestID.utf8 { hash.add(byte) }
    return hash.value
  }

  /// Reads no further than META's plain beginning; only one that begins otherwise is parsed. A record without a request
  /// id has its own id as key, so that copies of it still meet.
  public static func of(_ record: MetadataRecord) -> Int64 {
    if let key = record.json.withUnsafeBufferPointer(plain) { return key }
    let requestID = LogRow(record).requestID
    return requestID.isEmpty ? Int64(truncatingIfNeeded: record.recordID) : of(requestID)
  }

  private static func plain(_ json: UnsafeBufferPointer<UInt8>) -> Int64? {
    var at = beginning.utf8CodeUnitCount
    guard json.count > at, json.starts(with: UnsafeBufferPointer(start: beginning.utf8Start, count: at)) else {
      return nil
    }
    let start = at
    var hash = Hash()
    while at < json.count, json[at] != 0x22 {
      guard json[at] != 0x5C else { return nil }
      hash.add(json[at])
      at += 1
    }
    return at > start && at < json.count ? hash.value : nil
  }

  /// FNV-1a: short, and nobody outside chooses request ids.
  private struct Hash {
    private var bits: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ byte: UInt8) { bits = (bits ^ UInt64(byte)) &* 0x100_0000_01B3 }
    var value: Int64 { Int64(bitPattern: bits) }
  }
}
