internal import JSONText

/// How many tokens Claude may think: below the limit of the whole answer, or the request is refused.
enum ThinkingBudget {
  /// Anthropic's least.
  private static let least: Int64 = 1024

  /// A budget that a lowered limit has room for, in the proportion that the client chose; nil if there is none.
  static func fitted(_ budget: Int64, asked: Int64, limit: Int64) -> Int64? {
    guard limit > least else { return nil }
    guard budget < asked, asked > 0 else { return limit - 1 }
    let (product, overflow) = budget.multipliedReportingOverflow(by: limit)
    return overflow ? limit - 1 : min(limit - 1, max(least, product / asked))
  }
}

extension RequestScan {
  /// Lowers the thinking budget with the limit of the answer; where no budget fits, nothing is thought.
  /// - Returns: What changed.
  func lowerThinkingBudget(
    asked: Int64, limit: Int64, _ list: inout EditList, _ removed: inout [Int], _ body: UnsafeRawBufferPointer
  ) -> [String] {
    guard let place = place(of: "thinking", body), !removed.contains(place) else { return [] }
    let start = members[place].valueStart
    guard let (budget, range) = Self.budget(of: ByteRange(start, members[place].valueEnd).of(body)), budget >= limit
    else { return [] }
    guard let fitted = ThinkingBudget.fitted(budget, asked: asked, limit: limit) else {
      list.dropInside(members[place].nameStart, members[place].valueEnd)
      removed.append(place)
      return ["thinking"]
    }
    list.dropInside(start + range.start, start + range.end)
    list.replace(start + range.start, start + range.end, utf8: String(fitted))
    return ["thinking.budget_tokens"]
  }

  private static func budget(of thinking: UnsafeRawBufferPointer) -> (Int64, ByteRange)? {
    do throws(JSONTextError) {
      var cursor = try JSONCursor(thinking)
      guard try cursor.peek() == .object else { return nil }
      var walk = try cursor.enterObject()
      while let key = try cursor.nextMember(&walk) {
        guard key.range.of(thinking).equals("budget_tokens"), try cursor.peek() == .number else {
          try cursor.skipValue()
          continue
        }
        let number = try cursor.number()
        return number.integer.map { ($0, number.range) }
      }
    } catch {
      // The same bytes were scanned before.
    }
    return nil
  }
}
