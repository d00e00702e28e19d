public import JSONText

extension ModelList {
  /// Appends one model in Anthropic's shape.
  /// - Parameter created: Seconds since 1970: when the alias came into force.
  public static func appendAnthropicModel(_ alias: String, created: Int64, to out: ByteArena) {
    out.append("{\"type\":\"model\",\"id\":")
    JSONEscape.appendQuoted(alias, to: out)
    out.append(",\"display_name\":")
    JSONEscape.appendQuoted(alias, to: out)
    out.append(",\"created_at\":\"")
    Timestamp.append(created, to: out)
    out.append("\"}")
  }

  /// Appends the list of the aliases that the caller may use, in the order given: always one page.
  public static func appendAnthropic(_ aliases: [(alias: String, created: Int64)], to out: ByteArena) {
    out.append("{\"data\":[")
    for (index, model) in aliases.enumerated() {
      if index > 0 { out.append(",") }
      appendAnthropicModel(model.alias, created: model.created, to: out)
    }
    out.append("],\"has_more\":false,\"first_id\":")
    appendID(aliases.first?.alias, to: out)
    out.append(",\"last_id\":")
    appendID(aliases.last?.alias, to: out)
    out.append("}")
  }

  private static func appendID(_ alias: String?, to out: ByteArena) {
    if let alias { JSONEscape.appendQuoted(alias, to: out) } else { out.append("null") }
  }
}

/// Points in time as RFC 3339 has them, in UTC: `2026-10-21T00:00:00Z`.
public enum Timestamp {
  /// The last second of the year 9999: the format ends there.
  private static let last: Int64 = 253_402_300_799

  /// - Parameter seconds: Since 1970; brought into the years 1970 to 9999.
  public static func append(_ seconds: Int64, to out: ByteArena) {
    let seconds = min(max(0, seconds), last)
    let (days, rest) = seconds.quotientAndRemainder(dividingBy: 86_400)
    let (year, month, day) = date(ofDay: days)
    append(year, digits: 4, to: out)
    out.append("-")
    append(month, digits: 2, to: out)
    out.append("-")
    append(day, digits: 2, to: out)
    out.append("T")
    append(rest / 3600, digits: 2, to: out)
    out.append(":")
    append(rest / 60 % 60, digits: 2, to: out)
    out.append(":")
    append(rest % 60, digits: 2, to: out)
    out.append("Z")
  }

  /// The Gregorian date of a day since 1970, by whole 400-year eras that begin with March.
  private static func date(ofDay days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468  // days from 1 March of the year 0 to 1970
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
  }

  private static func append(_ value: Int64, digits: Int, to out: ByteArena) {
    let text = String(value)
    for _ in text.utf8.count..<max(digits, text.utf8.count) { out.append("0") }
    out.append(utf8: text)
  }
}
