import Testing

@testable import Admin

struct ValueTests {
  @Test(arguments: [
    ("1970-01-01T00:00:00Z", 0), ("1970-01-01", 0), ("2000-02-29T12:00:00Z", 951_825_600),
    ("2026-11-24T10:57:24+01:00", 1_795_514_244), ("2026-11-24T10:57:24-01:00", 1_795_521_444),
    ("1969-12-31T23:59:59Z", -1), ("2100-03-01", 4_107_542_400), ("2026-11-24t10:57:24z", 1_795_517_844),
  ])
  func timesAreReadAsRFC3339(text: String, seconds: Int64) {
    #expect(Timestamp(text)?.secondsSince1970 == seconds)
  }

  @Test(arguments: [
    "", "2026", "2026-13-01", "2026-02-29", "2100-02-29", "2026-11-24T", "2026-11-24T10:57", "2026-11-24T24:00:00Z",
    "2026-11-24T10:57:24", "2026-11-24T10:57:24.Z", "2026-11-24T10:57:24+1:00", "2026-11-24T10:57:24Zx", "9999-12-31",
    "yesterday", "2026-11-24T10:60:00Z", "２026-11-24",
  ])
  func whatIsNoTimeIsRefused(text: String) { #expect(Timestamp(text) == nil) }

  @Test(arguments: [
    (0, "1970-01-01T00:00:00Z"), (1_500_000_000, "1970-01-01T00:00:01.500Z"), (-1_000_000_000, "1969-12-31T23:59:59Z"),
    (1_795_517_844_000_000_000, "2026-11-24T10:57:24Z"), (Int64.max, "2262-04-11T23:47:16.854Z"),
    (Int64.min, "1677-09-21T00:12:43.145Z"),
  ])
  func timesAreWrittenInUTC(nanoseconds: Int64, text: String) {
    #expect(Timestamp(nanoseconds: nanoseconds).description == text)
  }

  @Test func daysGoThereAndBackOverFourCenturies() {
    for day in stride(from: Int64(-200_000), through: 200_000, by: 1) {
      let date = CivilDate(daysSince1970: day)
      guard date.daysSince1970 == day else {
        Issue.record("\(date) is not day \(day)")
        return
      }
    }
  }

  @Test(arguments: [
    ("0", 0), ("12", 12_000_000_000), ("12.5", 12_500_000_000), ("0.000000001", 1), ("-1.25", -1_250_000_000),
    ("9223372036.854775807", Int64.max),
  ])
  func moneyIsExactDecimalText(text: String, nanos: Int64) {
    #expect(Money(text)?.nanos == nanos)
    #expect(Money(nanos: nanos).description == text)
  }

  @Test(arguments: [
    "", "-", ".5", "5.", "1e3", "1,5", "+1", "0.0000000001", "9223372036.854775808", "99999999999", "1.2.3", " 1", "٣",
  ])
  func whatIsNoAmountIsRefused(text: String) { #expect(Money(text) == nil) }

  @Test func theSmallestAmountCanBeWritten() {
    #expect(Money(nanos: .min).description == "-9223372036.854775808")
  }

  @Test(arguments: ["0.0.0.0", "192.168.1.5", "::", "admin.example", ""])
  func onlyLoopbackIsListenedOn(address: String) {
    #expect(throws: AdminError.self) { try AdminConfiguration(address: address, port: 0) }
  }

  @Test(arguments: [-1, 65_536]) func portsAreChecked(port: Int) {
    #expect(throws: AdminError.self) { try AdminConfiguration(port: port) }
  }
}
