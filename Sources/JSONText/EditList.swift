/// Replacements in a body, applied in one pass over its original bytes; nothing is decoded or encoded again.
///
/// Edits may be added in any order but must not overlap. Replacement bytes lie in one side buffer.
public struct EditList {
  private struct Edit {
    var start: Int
    var end: Int
    var from: Int
    var to: Int
  }

  private var edits: [Edit] = []
  private let replacements = ByteArena(capacity: 1024)
  private var sorted = true

  public init() {}

  public var isEmpty: Bool { edits.isEmpty }
  public var count: Int { edits.count }

  /// Forgets all edits and keeps the memory, unless it has grown past about `keeping` bytes.
  public mutating func reset(keeping: Int = 256 * 1024) {
    edits.removeAll(keepingCapacity: edits.capacity <= keeping / (2 * MemoryLayout<Edit>.stride))
    replacements.reset(keeping: keeping)
    sorted = true
  }

  /// Replaces the bytes `start ..< end`; `start == end` inserts, an empty replacement deletes.
  public mutating func replace(_ start: Int, _ end: Int, with bytes: UnsafeRawBufferPointer) {
    let from = replacements.count
    replacements.append(bytes)
    add(Edit(start: start, end: end, from: from, to: replacements.count))
  }

  public mutating func replace(_ start: Int, _ end: Int, with text: StaticString) {
    replace(start, end, with: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  public mutating func replace(_ start: Int, _ end: Int, utf8 text: String) {
    replace(start, end) { $0.append(utf8: text) }
  }

  public mutating func replace(_ start: Int, _ end: Int, with bytes: [UInt8]) {
    bytes.withUnsafeBytes { replace(start, end, with: $0) }
  }

  /// Replaces by `text` as a JSON string with its quotes.
  public mutating func replace(_ start: Int, _ end: Int, quoted text: String) {
    replace(start, end) { JSONEscape.appendQuoted(text, to: $0) }
  }

  /// Replaces by what `write` appends.
  public mutating func replace(_ start: Int, _ end: Int, writing write: (ByteArena) -> Void) {
    let from = replacements.count
    write(replacements)
    add(Edit(start: start, end: end, from: from, to: replacements.count))
  }

  private mutating func add(_ edit: Edit) {
    if let last = edits.last, edit.start < last.end || edit.start < last.start { sorted = false }
    edits.append(edit)
  }

  /// Stable for equal starts: an insertion stays in front of what was added behind it.
  private mutating func sort() {
    defer { sorted = true }
    guard edits.count <= 64 else {
      let order = edits.indices.sorted { (edits[$0].start, edits[$0].end, $0) < (edits[$1].start, edits[$1].end, $1) }
      edits = order.map { edits[$0] }
      return
    }
    // The few edits of most requests move within their memory.
    edits.withUnsafeMutableBufferPointer { edits in
      for index in edits.indices.dropFirst() {
        let edit = edits[index]
        var place = index
        while place > 0, (edit.start, edit.end) < (edits[place - 1].start, edits[place - 1].end) {
          edits[place] = edits[place - 1]
          place -= 1
        }
        edits[place] = edit
      }
    }
  }

  /// Forgets the edits that lie in `start ..< end`, because all of it goes.
  public mutating func dropInside(_ start: Int, _ end: Int) {
    edits.removeAll { $0.start >= start && $0.end <= end }
  }

  /// The same for many stretches at once, in their order and none within another: one look at each edit.
  public mutating func dropInside(_ stretches: [ByteRange]) {
    guard !stretches.isEmpty else { return }
    edits.removeAll { edit in
      // The last that begins no later than the edit does.
      var (low, high) = (0, stretches.count)
      while low < high {
        let middle = (low + high) / 2
        if stretches[middle].start <= edit.start { low = middle + 1 } else { high = middle }
      }
      return low > 0 && edit.end <= stretches[low - 1].end
    }
  }

  /// Writes `body` with all edits applied to the end of `out`.
  /// - Returns: False, with `out` as it was, if two edits overlap or one lies outside of the body.
  public mutating func apply(to body: UnsafeRawBufferPointer, into out: ByteArena) -> Bool {
    if !sorted { sort() }
    let began = out.count
    var position = 0
    for edit in edits {
      guard edit.start >= position, edit.end >= edit.start, edit.end <= body.count else {
        out.truncate(to: began)
        return false
      }
      out.append(UnsafeRawBufferPointer(rebasing: body[position..<edit.start]))
      out.append(UnsafeRawBufferPointer(rebasing: replacements.bytes[edit.from..<edit.to]))
      position = edit.end
    }
    out.append(UnsafeRawBufferPointer(rebasing: body[position..<body.count]))
    return true
  }
}
