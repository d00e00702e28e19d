import Tenancy

/// What waits for its turn, in one line per tenant: whoever has had the least is next, measured in bytes.
///
/// Each tenant has a time of its own, which its work moves on. A tenant without anything waiting saves up nothing: it
/// comes back at the time of those who are being served. There are as many lines as tenants that wait, which is few.
struct FairQueue<Element> {
  private struct Line {
    let tenant: TenantID
    /// What of this tenant was served, on the scale of all.
    var time: Int
    var elements: [(element: Element, cost: Int)] = []
    /// Of ``elements``, those that are gone.
    var taken = 0

    var first: (element: Element, cost: Int)? { taken < elements.count ? elements[taken] : nil }

    mutating func removeFirst() {
      taken += 1
      guard taken == elements.count || taken >= 64 && taken * 2 >= elements.count else { return }
      elements.removeFirst(taken)
      taken = 0
    }
  }

  private var lines: [Line] = []
  /// The time of who was served last.
  private var now = 0
  private(set) var count = 0
  private var untilSweep = 64

  var isEmpty: Bool { count == 0 }

  mutating func add(_ element: Element, of tenant: TenantID, cost: Int) {
    count += 1
    if let index = lines.firstIndex(where: { $0.tenant == tenant }) {
      if lines[index].first == nil { lines[index].time = max(lines[index].time, now) }
      lines[index].elements.append((element, max(1, cost)))
    } else {
      lines.append(Line(tenant: tenant, time: now, elements: [(element, max(1, cost))]))
    }
  }

  /// The first of the tenant that has had the least.
  mutating func next() -> Element? {
    var best: Int?
    for index in lines.indices {
      guard lines[index].first != nil else { continue }
      if best.map({ lines[index].time < lines[$0].time }) ?? true { best = index }
    }
    guard let best, let first = lines[best].first else { return nil }
    now = max(now, lines[best].time)
    lines[best].time &+= first.cost
    lines[best].removeFirst()
    count -= 1
    sweep()
    return first.element
  }

  /// Whose line is empty is remembered only while it is ahead of the others.
  private mutating func sweep() {
    untilSweep -= 1
    guard untilSweep <= 0 else { return }
    untilSweep = 64
    lines.removeAll { $0.first == nil && ($0.time <= now || count == 0) }
  }
}
