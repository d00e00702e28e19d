public import Cryptography
public import JSONText

/// Finds what policy names in the text of one request and puts what policy says in its place.
///
/// One per event loop: it owns the scratch memory. It knows no HTTP, dialect or tenant; the caller gives the tenant's key.
public final class Redactor {
  /// Findings that one request may have.
  public static let maximumFindings = 50_000
  /// Bytes of text that one request may have.
  public static let maximumBytes = 1 << 30

  private let text = NormalisedText()
  private let decoded = DecodedText()
  private var candidates: [Candidate] = []
  private var keywords: [KeywordHit] = []
  private var hits: [PatternHit] = []
  private var findings: [Finding] = []
  private let propagation = Propagation()
  private let values = Scratch()
  private let messages = Scratch()
  private let windows = Scratch()
  private let replacements = Scratch()
  private var urls = URLTracker()
  private var urlPosition = 0
  /// The end of the raw bytes that have an edit already.
  private var editedTo = 0

  /// Bytes that verifiers and comparisons looked at in the last run; for tests of linear time.
  private(set) var work = 0

  public init() {}

  /// Adds an edit for every finding that is acted on, issues placeholders, counts.
  ///
  /// - Parameters:
  ///   - body: The whole JSON body; segments and edits are positions in it.
  ///   - segments: In body order, not overlapping.
  ///   - key: The tenant's pseudonym key.
  ///   - scope: What texts may be linked: empty for the tenant, else a project or subject.
  ///   - issued: Empty or from the same exchange.
  /// - Throws: ``RedactionError``; what was added to the arguments is then meaningless and must not be sent.
  public func redact(
    body: UnsafeRawBufferPointer, segments: [TextSegment], profile: RedactionProfile, key: HMACKey, scope: [UInt8],
    issued: IssuedPlaceholders, edits: inout EditList, findings counts: inout FindingCounts
  ) throws(RedactionError) {
    work = 0
    guard let base = body.baseAddress, !segments.isEmpty else { return }
    try check(segments, body.count)
    let raw = base.assumingMemoryBound(to: UInt8.self)
    defer { wipe() }
    Normaliser.normalise(raw, segments, into: text)
    let view = TextView(bytes: text.bytes, start: NormalisedText.margin, end: text.end)
    try find(view, profile)
    try select(profile.input, view, &counts)
    guard !findings.isEmpty else { return }
    urls = URLTracker()
    urlPosition = view.start
    editedTo = 0
    let act = Action(raw: raw, segments: segments, profile: profile, key: key, scope: scope, issued: issued)
    for finding in findings {
      let type = Self.type(finding.label, profile)
      if finding.action == .block { throw .blocked(type) }
      counts.add(type, finding.action)
      if finding.action != .flag { try replace(finding, view, act, &edits) }
    }
  }

  /// What ``redact(body:segments:profile:key:scope:issued:edits:findings:)`` makes of plain text; for samples on the
  /// command line and in the admin API, not for the data plane.
  public func redactText(
    _ text: String, profile: RedactionProfile, key: HMACKey
  ) throws(RedactionError) -> (text: String, findings: FindingCounts, issued: IssuedPlaceholders) {
    let bytes = ByteArena(capacity: text.utf8.count)
    defer { withExtendedLifetime(bytes) {} }
    bytes.append(utf8: text)
    let segment = TextSegment(start: 0, end: bytes.count, depth: 0, hasEscapes: true, isASCII: false)
    let issued = IssuedPlaceholders()
    var edits = EditList()
    var counts = FindingCounts()
    try redact(
      body: bytes.bytes, segments: [segment], profile: profile, key: key, scope: [], issued: issued, edits: &edits,
      findings: &counts)
    let out = ByteArena(capacity: bytes.count)
    guard edits.apply(to: bytes.bytes, into: out) else { throw .failed("edits") }
    return (out.text, counts, issued)
  }

  private func wipe() {
    text.wipe()
    decoded.wipe()
    values.wipe()
    messages.wipe()
    windows.wipe()
  }

  private struct Action {
    let raw: UnsafePointer<UInt8>
    let segments: [TextSegment]
    let profile: RedactionProfile
    let key: HMACKey
    let scope: [UInt8]
    let issued: IssuedPlaceholders
  }

  private func check(_ segments: [TextSegment], _ count: Int) throws(RedactionError) {
    guard count <= Self.maximumBytes else { throw .tooMany }
    var last = 0
    for segment in segments {
      guard segment.start >= last, segment.end >= segment.start, segment.end <= count else { throw .failed("segments") }
      last = segment.end
    }
  }

  // MARK: finding

  private func find(_ view: TextView, _ profile: RedactionProfile) throws(RedactionError) {
    candidates.removeAll(keepingCapacity: candidates.capacity <= 4096)
    keywords.removeAll(keepingCapacity: keywords.capacity <= 4096)
    let hasPercent = try search(view, profile)
    let mayDecode = decoded.decode(view, hasPercent: hasPercent)
    work += decoded.work
    if !decoded.fortyLetters.isEmpty, profile.input.types >> UInt64(FindingType.apiKey.index) & 1 != 0 {
      lettersOfAWS(view)
    }
    Candidate.sort(&candidates)
    ContextWindow.apply(keywords, to: &candidates)
    guard mayDecode else { return }
    try findEncoded(profile)
    Candidate.sort(&candidates)
  }

  /// Appends what stands in `view` to ``candidates`` and ``keywords``.
  /// - Returns: Whether a percent sign may stand in it.
  private func search(_ view: TextView, _ profile: RedactionProfile) throws(RedactionError) -> Bool {
    var scanner = Scanner(
      text: view, types: profile.input.types, customLabels: profile.customLabels,
      windows: windows.writer(2 * DigitWindow.capacity).base)
    // Exchanged, because a copy would count references.
    swap(&scanner.candidates, &candidates)
    swap(&scanner.keywords, &keywords)
    scanner.scan()
    swap(&scanner.candidates, &candidates)
    swap(&scanner.keywords, &keywords)
    work += scanner.work
    if profile.patternCount > 0, let patterns = profile.patterns { try match(patterns, view) }
    profile.lists?.find(in: view, into: &candidates)
    return scanner.hasPercent
  }

  /// Scans the decoded text once; what is found there takes the whole run.
  private func findEncoded(_ profile: RedactionProfile) throws(RedactionError) {
    let outer = candidates
    candidates = []
    keywords.removeAll(keepingCapacity: true)
    _ = try search(TextView(bytes: decoded.text.bytes, start: NormalisedText.margin, end: decoded.text.end), profile)
    Candidate.sort(&candidates)
    ContextWindow.apply(keywords, to: &candidates)
    let inner = candidates
    candidates = outer
    let spans = decoded.text.spans
    for found in inner {
      guard var index = decoded.text.span(at: found.start) else { throw .failed("offset map") }
      while index < spans.count, spans[index].start < found.end {
        let run = decoded.runs[spans[index].segment]
        var candidate = Candidate(label: found.label, run.start, run.end, found.level, rank: found.rank)
        candidate.isEncoded = true
        candidates.append(candidate)
        index += 1
      }
    }
  }

  /// 40 letters of base64 are an AWS secret only where something says so.
  private func lettersOfAWS(_ view: TextView) {
    guard keywords.contains(where: { $0.mask & Context.aws != 0 }) else { return }
    for start in decoded.fortyLetters {
      guard let entropy = Entropy.perByte(view, start, start + 40), entropy.isSecret, !entropy.isHex else { continue }
      var candidate = Candidate(.apiKey, start, start + 40, .possible, rank: Candidate.Rank.secret - 1)
      candidate.raisedBy = Context.aws
      candidates.append(candidate)
    }
  }

  private func match(_ patterns: any PatternSet, _ view: TextView) throws(RedactionError) {
    hits.removeAll(keepingCapacity: hits.capacity <= 4096)
    let bytes = UnsafeRawBufferPointer(start: view.bytes + view.start, count: view.end - view.start)
    try patterns.match(bytes, into: &hits)
    guard hits.count <= Self.maximumFindings else { throw .tooMany }
    for hit in hits {
      guard hit.start >= 0, hit.end > hit.start, hit.end <= bytes.count, (0..<patterns.count).contains(hit.pattern)
      else {
        throw .failed("pattern set")
      }
      candidates.append(
        Candidate(
          label: UInt8(truncatingIfNeeded: FindingType.count + hit.pattern), hit.start + view.start,
          hit.end + view.start,
          .likely, rank: Candidate.Rank.pattern))
    }
  }

  /// Keeps what a rule acts on, joins overlaps, adds the further places of what was found.
  private func select(_ table: ActionTable, _ view: TextView, _ counts: inout FindingCounts) throws(RedactionError) {
    findings.removeAll(keepingCapacity: findings.capacity <= 4096)
    for candidate in candidates {
      if candidate.label == FindingType.text.index {
        append(candidate, .pseudonymise)
        continue
      }
      let type = FindingType(index: candidate.label)
      if table.isShadowed(candidate.label, candidate.level) { counts.addShadow(shadowType(type)) }
      if let action = table.action(candidate.label, candidate.level) {
        append(candidate, action)
      } else if candidate.level == .possible {
        counts.addPossible(shadowType(type))
      }
    }
    Resolver.resolve(&findings)
    if try propagation.run(view, &findings) { findings.sort { $0.start < $1.start } }
    work += propagation.work
    guard findings.count <= Self.maximumFindings else { throw .tooMany }
  }

  private func shadowType(_ type: FindingType) -> FindingType { Int(type.index) < FindingType.count ? type : .pattern }

  private func append(_ candidate: Candidate, _ action: RedactionAction) {
    findings.append(
      Finding(
        start: candidate.start, end: candidate.end, label: candidate.label, rank: candidate.rank, action: action,
        isEncoded: candidate.isEncoded))
  }

  private static func type(_ label: UInt8, _ profile: RedactionProfile) -> FindingType {
    if Int(label) < FindingType.count { return FindingType(index: label) }
    return Int(label) < FindingType.count + profile.patternCount ? .pattern : .list
  }

  // MARK: acting

  /// Replaces the raw bytes of one finding; where it reaches over several segments of one text, the later parts go.
  private func replace(_ finding: Finding, _ view: TextView, _ act: Action, _ edits: inout EditList)
    throws(RedactionError)
  {
    guard var index = text.span(at: finding.start) else { throw .failed("offset map") }
    var group: Int32?
    while index < text.spans.count, text.spans[index].start < finding.end {
      let span = text.spans[index]
      let segment = act.segments[span.segment]
      let start = max(finding.start, span.start)
      let end = min(finding.end, span.end)
      defer { index += 1 }
      guard start < end else { continue }
      // Two findings may meet within one raw character; its bytes are replaced once.
      let from = max(segment.kind == .number ? segment.start : text.rawStart(start), editedTo)
      let to = segment.kind == .number ? segment.end : text.rawEnd(end)
      guard from < to else { continue }
      editedTo = to
      if segment.kind == .number {
        edits.replace(from, to, with: "0")
        continue
      }
      if group == segment.group, segment.kind == .string {
        edits.replace(from, to, with: "")
        continue
      }
      group = segment.kind == .string ? segment.group : nil
      try placeholder(finding, view, start, act, from, to, index, &edits)
    }
  }

  /// `[TYPE]` or `[TYPE_xxxxxxxx]` for the raw bytes `from ..< to`; where brackets are forbidden, `TYPE_xxxxxxxx`.
  ///
  /// Within an identifier a mask is as long as a hash: two tool calls whose ids become one could not be told apart.
  private func placeholder(
    _ finding: Finding, _ view: TextView, _ start: Int, _ act: Action, _ from: Int, _ to: Int, _ span: Int,
    _ edits: inout EditList
  ) throws(RedactionError) {
    let label =
      Int(finding.label) < FindingType.count
      ? LabelBytes.builtin[Int(finding.label)] : act.profile.customLabels[Int(finding.label) - FindingType.count]
    let isBare = act.segments[text.spans[span].segment].isIdentifier
    let isIssued = finding.action != .mask && finding.action != .hash
    var tag: UInt64?
    if finding.action != .mask || isBare {
      var value = values.writer(finding.end - start + 1)
      if finding.isEncoded {
        ValueForm.appendEncoded(view, start, finding.end, into: &value)
      } else {
        ValueForm.append(finding.label, view, start, finding.end, into: &value)
      }
      tag = isIssued ? try issue(finding, value, label, act, span) : try derive(.hash, value, label, act, 0)
    }
    var out = replacements.writer(PlaceholderTag.longest)
    if !isBare { out.append(0x5B) }
    out.append(label)
    if let tag {
      out.append(0x5F)
      PlaceholderTag.append(tag, to: &out)
    }
    if !isBare { out.append(0x5D) }
    edits.replace(from, to, with: out.bytes)
    noteURL(view, start, finding, label, isIssued ? tag : nil, out.bytes, act.issued)
  }

  private func derive(
    _ purpose: PlaceholderDerivation.Purpose, _ value: ByteWriter, _ label: [UInt8], _ act: Action, _ counter: UInt8
  ) throws(RedactionError) -> UInt64 {
    try PlaceholderDerivation.tag(
      act.key, purpose, scope: act.scope, label: label, value: value.bytes, counter: counter, memory: messages)
  }

  private func issue(
    _ finding: Finding, _ value: ByteWriter, _ label: [UInt8], _ act: Action, _ span: Int
  ) throws(RedactionError) -> UInt64 {
    let number = finding.label
    if let tag = act.issued.tag(label: number, key: value.bytes) { return tag }
    var counter: UInt8 = 0
    var tag = try derive(.placeholder, value, label, act, counter)
    while act.issued.isTaken(label: number, tag: tag) {
      counter += 1
      guard counter < 64 else { throw .failed("placeholder collisions") }
      tag = try derive(.placeholder, value, label, act, counter)
    }
    act.issued.add(label: number, labelBytes: label, tag: tag, key: value.bytes) { out in
      appendOriginal(finding, act, span, into: out)
    }
    return tag
  }

  /// The surface form: the text of all parts of the finding that lie in one message's text.
  private func appendOriginal(_ finding: Finding, _ act: Action, _ first: Int, into out: ByteArena) {
    var index = first
    let group = act.segments[text.spans[first].segment].group
    while index < text.spans.count, text.spans[index].start < finding.end {
      let span = text.spans[index]
      let segment = act.segments[span.segment]
      let start = max(finding.start, span.start)
      let end = min(finding.end, span.end)
      if index > first, segment.kind != .string || segment.group != group { return }
      if start < end {
        EscapedWriter.appendText(
          act.raw, text.rawStart(start), text.rawEnd(end), depth: Int(segment.depth), into: out)
      }
      index += 1
    }
  }

  /// Remembers the URL that a placeholder stands in, as the provider sees it. Reads back to the last space or quote only.
  private func noteURL(
    _ view: TextView, _ start: Int, _ finding: Finding, _ label: [UInt8], _ tag: UInt64?,
    _ replacement: UnsafeRawBufferPointer, _ issued: IssuedPlaceholders
  ) {
    var tracker = urls
    var position = start
    while position > urlPosition, !URLTracker.ends(UInt32(view[position - 1])) { position -= 1 }
    if position > urlPosition || position == view.start { tracker = URLTracker() }
    while position < start {
      let unit = EscapedText.character(view.bytes, position, start)
      tracker.read(unit.length > 0 ? unit.scalar : 0xFFFD)
      position += max(unit.length, 1)
    }
    if let tag {
      if tracker.isInside {
        tracker.read(label: label, tag: tag)
        issued.allowURL(tracker.hash)
      }
    } else {
      for byte in replacement { tracker.read(UInt32(byte)) }
    }
    urls = tracker
    urlPosition = finding.end
  }
}

/// Labels of the built-in types as bytes.
enum LabelBytes {
  static let builtin: [[UInt8]] = FindingType.all.map { Array($0.label.utf8) }
}
