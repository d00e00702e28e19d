internal import Tenancy

/// Reads `kind: Roles`.
struct RolesReader {
  let report: Report

  func roles(_ entries: [YAMLNode.Entry]) -> [String: Located<Role>] {
    var done: [String: Located<Role>] = [:]
    for entry in entries {
      guard let map = MapReader(entry.value, "role '\(entry.key)'", report) else { continue }
      let scope = map.requiredText("scope").flatMap { map.word($0, "scope", RoleScope.self) }
      var permissions = Permissions()
      for name in map.requiredTexts("can")?.value ?? [] {
        if let permission = Permissions(name: name.value) {
          permissions.formUnion(permission)
        } else {
          report.error(
            "there is no permission '\(name.value)'", at: name.place,
            hint: Suggestion.nearest(to: name.value, among: Permissions.names.map(\.name)).map {
              "did you mean '\($0)'?"
            } ?? "known: \(Permissions.names.map(\.name).joined(separator: ", "))")
        }
      }
      map.finish()
      guard let scope else { continue }
      do throws(TenancyError) {
        let role = try Role(name: entry.key, scope: scope.value, permissions: permissions)
        done[entry.key] = Located(value: role, place: entry.keyPlace)
      } catch {
        report.error(
          "role '\(entry.key)' of scope \(scope.value.rawValue) holds what it cannot", at: entry.keyPlace,
          hint: error.message)
      }
    }
    return done
  }
}
