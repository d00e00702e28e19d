/// What the language knows and nothing carries out yet: refused at load, because a rule that is read and not applied is
/// taken for protection.
struct Availability {
  let report: Report
  /// False only where the language itself is tested; such a set is never served.
  let isEnforced: Bool

  func refuse(_ message: String, at place: Place, hint: String) {
    if isEnforced { report.error(message, at: place, hint: hint) }
  }

  func check(type word: Located<String>) {
    guard RedactionTypes.all.contains(word.value), !RedactionTypes.available.contains(word.value) else { return }
    refuse(
      "'\(word.value)' cannot be found yet", at: word.place,
      hint: "found today: \(RedactionTypes.available.sorted().joined(separator: ", "))")
  }

  func check(side: Located<RedactionRuleSpec.Side>) {
    guard side.value == .output else { return }
    refuse("answers are not searched yet", at: side.place, hint: "write where: [input]")
  }

  func check(lists: Located<[Located<String>]>, named key: String) {
    refuse(
      "'\(key)' names lists, and none can be stored yet", at: lists.place,
      hint: key == "lists" ? "write the words as patterns until then" : "leave it out; more is found without it")
  }

  func check(action: Located<RedactionAction>) {
    guard action.value == .surrogate else { return }
    refuse("there are no surrogates yet", at: action.place, hint: "write action: pseudonymise, which is as strong")
  }

  func check(scope: Located<RedactionRuleSpec.Reach>) {
    guard scope.value != .tenant else { return }
    refuse(
      "placeholders are the same in the whole tenant, not per \(scope.value.rawValue)", at: scope.place,
      hint: "leave 'scope' out, or write scope: tenant")
  }

  func check(checksum: Located<RedactionSettings.Checksum>) {
    guard checksum.value == .lenient else { return }
    refuse("numbers with a wrong check digit are not found yet", at: checksum.place, hint: "write checksum: strict")
  }

  func check(restoreURLs: Located<RedactionSettings.RestoreURLs>) {
    guard restoreURLs.value == .always else { return }
    refuse(
      "addresses are restored only as they were sent", at: restoreURLs.place, hint: "write restore-urls: as-sent")
  }

  func check(recogniser: Located<RedactionSettings.Recogniser>) {
    guard recogniser.value != .none else { return }
    refuse("there is no recogniser yet", at: recogniser.place, hint: "write recogniser: none")
  }

  func check(logMode: Located<LogMode>) {
    guard logMode.value == .writeOnly else { return }
    refuse(
      "no recipients of a write-only log can be registered yet", at: logMode.place,
      hint: "write mode: managed, or mode: off to record no content")
  }
}
