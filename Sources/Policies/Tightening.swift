internal import Routing
internal import Tenancy

/// Folds a policy over its parent: every value may only tighten, and locked ones may not change at all.
struct Tightening {
  let report: Report
  let parentID: String
  let locked: Set<String>

  /// The child's value if there is one and it is allowed, else the parent's.
  func fold<Value: Equatable>(
    _ path: String, _ child: Located<Value>?, over parent: Located<Value>?,
    isTighter: (_ child: Value, _ parent: Value) -> Bool
  ) -> Located<Value>? {
    guard let child else { return parent }
    guard let parent, parent.value != child.value else { return child }
    if isLocked(path) {
      report.error(
        "'\(path)' is locked by policy '\(parentID)'", at: child.place,
        hint: "leave it out; the parent's value is at \(parent.place)")
      return parent
    }
    guard isTighter(child.value, parent.value) else {
      report.error(
        "'\(path)' is looser than in policy '\(parentID)'", at: child.place,
        hint: "a child can only tighten; the parent's value is at \(parent.place)")
      return parent
    }
    return child
  }

  /// A path is locked by itself or by what it lies in.
  func isLocked(_ path: String) -> Bool {
    locked.contains { $0 == path || path.hasPrefix($0 + ".") }
  }

  /// Words of a closed list that goes from loose to tight.
  func foldWords<Word: CaseIterable & Equatable>(_ path: String, _ child: Located<Word>?, over parent: Located<Word>?)
    -> Located<Word>?
  {
    let words = Array(Word.allCases)
    return fold(path, child, over: parent) { mine, theirs in
      (words.firstIndex(of: mine) ?? 0) > (words.firstIndex(of: theirs) ?? 0)
    }
  }

  func foldDown(_ path: String, _ child: Located<Int>?, over parent: Located<Int>?) -> Located<Int>? {
    fold(path, child, over: parent) { $0 <= $1 }
  }

  func foldAllowed<Element: Hashable>(
    _ path: String, _ child: Located<Set<Element>>?, over parent: Located<Set<Element>>?
  )
    -> Located<Set<Element>>?
  {
    fold(path, child, over: parent) { $0.isSubset(of: $1) }
  }

  func foldRequired(_ path: String, _ child: Located<Set<String>>?, over parent: Located<Set<String>>?)
    -> Located<Set<String>>?
  {
    fold(path, child, over: parent) { $0.isSuperset(of: $1) }
  }

  /// A switch that can only be turned to `tight`.
  func foldFlag(_ path: String, _ child: Located<Bool>?, over parent: Located<Bool>?, tight: Bool) -> Located<Bool>? {
    fold(path, child, over: parent) { mine, _ in mine == tight }
  }

  func foldNetworks(_ path: String, _ child: Located<[Network]>?, over parent: Located<[Network]>?)
    -> Located<[Network]>?
  {
    fold(path, child, over: parent) { mine, theirs in
      mine.allSatisfy { network in theirs.contains { $0.covers(network) } }
    }
  }

  /// Roles become fewer, and each is narrowed further. Of what a role's child does not say, the parent's holds.
  func foldRoles(
    _ child: Located<[String: Located<RoleNarrowing>]>?, over parent: Located<[String: Located<RoleNarrowing>]>?
  )
    -> Located<[String: Located<RoleNarrowing>]>?
  {
    guard let child else { return parent }
    guard let parent else { return child }
    if isLocked("roles"), child.value.mapValues(\.value) != parent.value.mapValues(\.value) {
      report.error(
        "'roles' is locked by policy '\(parentID)'", at: child.place,
        hint: "leave it out; the parent's value is at \(parent.place)")
      return parent
    }
    var folded: [String: Located<RoleNarrowing>] = [:]
    for (name, mine) in child.value.sorted(by: { $0.key < $1.key }) {
      guard let theirs = parent.value[name] else {
        report.error(
          "role '\(name)' is not among the roles of policy '\(parentID)'", at: mine.place,
          hint: "a child can only tighten; the parent's value is at \(parent.place)")
        continue
      }
      func at<Value>(_ value: Value?, _ place: Place) -> Located<Value>? {
        value.map { Located(value: $0, place: place) }
      }
      let path = "roles.\(name)"
      let narrowing = RoleNarrowing(
        models: foldAllowed(
          "\(path).models", at(mine.value.models, mine.place), over: at(theirs.value.models, theirs.place))?.value,
        networks: foldNetworks(
          "\(path).networks", at(mine.value.networks, mine.place), over: at(theirs.value.networks, theirs.place))?
          .value,
        hours: fold(
          "\(path).hours", at(mine.value.hours, mine.place), over: at(theirs.value.hours, theirs.place),
          isTighter: { $0.isWithin($1) })?.value)
      folded[name] = Located(value: narrowing, place: mine.place)
    }
    return Located(value: folded, place: child.place)
  }
}
