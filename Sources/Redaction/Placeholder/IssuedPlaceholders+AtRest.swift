internal import JSONText

/// What an exchange has issued, as bytes that outlive it: for answers that come hours later. The values stand in them in
/// clear, so they are sealed before they rest anywhere.
extension IssuedPlaceholders {
  private static let version: UInt8 = 1

  public var encoded: [UInt8] {
    var bytes: [UInt8] = [Self.version]
    func append<Value: FixedWidthInteger>(_ value: Value) {
      withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
    append(UInt16(clamping: labels.count))
    for label in labels.prefix(Int(UInt16.max)) {
      append(label.number)
      append(UInt8(clamping: label.bytes.count))
      bytes += label.bytes.prefix(Int(UInt8.max))
    }
    append(UInt32(clamping: entries.count))
    for index in entries.indices {
      let original = original(index)
      append(entries[index].label)
      append(entries[index].tag)
      append(UInt32(clamping: original.count))
      bytes.append(contentsOf: original)
    }
    append(UInt32(clamping: urls.count))
    for url in urls.sorted() { append(url) }
    return bytes
  }

  /// Takes back what ``encoded`` has written; enough to restore, not to issue more. Never traps, whatever the bytes are.
  /// - Returns: False, with nothing issued, if they are none of ours.
  public func take(encoded bytes: [UInt8]) -> Bool {
    wipe()
    guard read(encoded: bytes) else {
      wipe()
      return false
    }
    return true
  }

  private func read(encoded bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { raw in
      var at = 0
      func number<Value: FixedWidthInteger & BitwiseCopyable>(_: Value.Type) -> Value? {
        guard raw.count - at >= MemoryLayout<Value>.size else { return nil }
        defer { at += MemoryLayout<Value>.size }
        return Value(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: Value.self))
      }
      func text(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, raw.count - at >= count else { return nil }
        defer { at += count }
        return UnsafeRawBufferPointer(rebasing: raw[at..<(at + count)])
      }
      guard number(UInt8.self) == Self.version, let labelCount = number(UInt16.self) else { return false }
      var names: [UInt8: [UInt8]] = [:]
      for _ in 0..<labelCount {
        guard let label = number(UInt8.self), let count = number(UInt8.self), let name = text(Int(count)),
          !name.isEmpty
        else { return false }
        names[label] = Array(name)
      }
      guard let entryCount = number(UInt32.self) else { return false }
      for _ in 0..<entryCount {
        guard let label = number(UInt8.self), let tag = number(UInt64.self), let count = number(UInt32.self),
          let original = text(Int(count)), let name = names[label]
        else { return false }
        // By which value it was issued is of no account to restoring.
        add(label: label, labelBytes: name, tag: tag, key: UnsafeRawBufferPointer(start: nil, count: 0)) {
          $0.append(original)
        }
      }
      guard let urlCount = number(UInt32.self) else { return false }
      for _ in 0..<urlCount {
        guard let url = number(UInt64.self) else { return false }
        allowURL(url)
      }
      return at == raw.count
    }
  }
}
