package import JSONText

/// The scanner without what stands around it in a ``Redactor``, over text that was normalised once; for measuring what a
/// byte of text costs it. Not for the data plane, where nothing is found without being acted on.
package final class BareScan {
  private let text = NormalisedText()
  private let windows = Scratch()
  private let types: UInt64
  private var candidates: [Candidate] = []
  private var keywords: [KeywordHit] = []

  /// - Parameter segments: In body order, not overlapping, within `body`.
  package init(of segments: [TextSegment], in body: UnsafeRawBufferPointer, types: [FindingType]) {
    self.types = types.reduce(0) { $0 | $1.bit }
    guard let base = body.baseAddress else { return }
    Normaliser.normalise(base.assumingMemoryBound(to: UInt8.self), segments, into: text)
  }

  /// Bytes of the text.
  package var count: Int { text.end - NormalisedText.margin }

  /// Scans all of the text.
  /// - Returns: How many values were found, of any level.
  package func run() -> Int {
    candidates.removeAll(keepingCapacity: true)
    keywords.removeAll(keepingCapacity: true)
    var scanner = Scanner(
      text: TextView(bytes: text.bytes, start: NormalisedText.margin, end: text.end), types: types, customLabels: [],
      windows: windows.writer(2 * DigitWindow.capacity).base)
    // Exchanged, because a copy would count references.
    swap(&scanner.candidates, &candidates)
    swap(&scanner.keywords, &keywords)
    scanner.scan()
    swap(&scanner.candidates, &candidates)
    swap(&scanner.keywords, &keywords)
    return candidates.count
  }
}
