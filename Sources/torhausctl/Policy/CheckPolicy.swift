import ArgumentParser
import FoundationEssentials
import Policies
import Tenancy

struct CheckPolicy: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Check a folder of policies; needs no server.",
    discussion: "Example: torhausctl policy check policies/")

  @Argument(help: "The folder, or one file.") var path: String
  @Option(help: ArgumentHelp("Warn of prices whose version is a date longer ago than that.", valueName: "days"))
  var priceDays = 180

  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    do {
      let set = try load()
      let now = Int64(Date().timeIntervalSince1970)
      tell(set.warnings + set.oldPrices(epochSeconds: now, afterDays: max(0, priceDays)), in: session)
      session.show(
        Detail(
          fields: [
            Column("HASH", "hash"), Column("POLICIES", "policies"), Column("ROLES", "roles"),
            Column("TENANTS", "tenants", .number), Column("TESTS", "tests", .number),
          ],
          value: .members(
            ("hash", .text(set.hash)), ("policies", .list(set.policies.keys.sorted().map { .text($0) })),
            ("roles", .list(set.roles.roles.keys.sorted().map { .text($0) })),
            ("tenants", .integer(Int64(set.tenants.count))), ("tests", .integer(Int64(set.tests.count)))),
          nameMember: "hash"))
    } catch let error as PolicyError {
      tell(error.diagnostics, in: session)
      throw CommandFailure(.failed, code: error.code.rawValue, error.message, place: path)
    }
  }

  private func load() throws -> PolicySet {
    var isFolder = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw CommandFailure(.failed, code: "not_found", "there is no such file or folder", place: path)
    }
    if isFolder { return try PolicyLoader.load(folder: path) }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CommandFailure(.failed, code: "policy_unreadable", "the file cannot be read", place: path)
    }
    return try PolicyLoader.load(files: [PolicyFile(name: path, bytes: Array(data))])
  }

  private func tell(_ diagnostics: [PolicyDiagnostic], in session: Session) {
    for diagnostic in diagnostics {
      if output.format == .json || output.format == .jsonl {
        let line = JSONTree.members(
          (
            diagnostic.severity.rawValue,
            .members(
              ("message", .text(diagnostic.message)), ("place", .text(diagnostic.place.description)),
              ("hint", diagnostic.hint.map { .text($0) }))
          )
        ).line
        session.console.talk(line)
      } else {
        session.console.talk(DisplayText.escapedLines(diagnostic.description))
      }
    }
  }
}
