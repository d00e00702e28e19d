import Testing

@testable import Gateway

@Test(arguments: [
  (-5, 0), (0, 0), (1, 0), (1000, 0), (1001, 1), (2000, 1), (2001, 2), (4000, 2), (1_000_000, 10), (1_024_000, 10),
  (1_024_001, 11), (1_048_576_000, 20), (1_048_576_001, 21), (Int64.max, 21),
])
func aTimeIsCountedInTheFirstBucketThatHoldsIt(nanoseconds: Int64, bucket: Int) {
  let histogram = OverheadHistogram()
  histogram.add(nanoseconds: nanoseconds)
  var reading = OverheadHistogram.Reading()
  reading.add(histogram)
  #expect(reading.counts.firstIndex(of: 1) == bucket && reading.count == 1)
  #expect(reading.nanoseconds == UInt64(max(0, nanoseconds)))
  if let bound = OverheadHistogram.Reading.bound(bucket), bucket > 0 {
    #expect(Double(nanoseconds) / 1e9 <= bound)
    #expect(Double(nanoseconds) / 1e9 > OverheadHistogram.Reading.bound(bucket - 1) ?? 0)
  }
}

@Test func loopsAreSummed() {
  let (first, second) = (OverheadHistogram(), OverheadHistogram())
  first.add(nanoseconds: 3_000)
  second.add(nanoseconds: 3_500)
  second.add(nanoseconds: 900)
  var reading = OverheadHistogram.Reading()
  reading.add(first)
  reading.add(second)
  #expect(reading.counts[0] == 1 && reading.counts[2] == 2 && reading.nanoseconds == 7_400)
}
