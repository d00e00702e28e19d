import Glibc

/// Looks for the few things in an event's data that tell how a stream goes; reads no JSON.
enum DataProbe {
  static func isDone(_ data: UnsafeRawBufferPointer) -> Bool { starts(data, "[DONE]", at: 0) && data.count == 6 }

  /// Whether the data is an object that begins with a member `error`.
  static func isError(_ data: UnsafeRawBufferPointer) -> Bool {
    starts(data, "{\"error\"", at: 0) || starts(data, "{ \"error\"", at: 0)
  }

  /// Whether there is a `"finish_reason"` whose value is a string.
  static func hasFinishReason(_ data: UnsafeRawBufferPointer) -> Bool {
    guard let base = data.baseAddress else { return false }
    var start = 0
    while start < data.count, let hit = memchr(base + start, 0x66, data.count - start) {
      let at = UnsafeRawPointer(hit) - base
      if at > 0, data[at - 1] == 0x22, starts(data, "finish_reason\"", at: at) {
        var position = at + 14
        while position < data.count, data[position] == 0x20 || data[position] == 0x3A { position += 1 }
        return position < data.count && data[position] == 0x22
      }
      start = at + 1
    }
    return false
  }

  private static func starts(_ data: UnsafeRawBufferPointer, _ text: StaticString, at start: Int) -> Bool {
    guard start >= 0, data.count - start >= text.utf8CodeUnitCount, let base = data.baseAddress else { return false }
    return memcmp(base + start, text.utf8Start, text.utf8CodeUnitCount) == 0
  }
}
