import ArgumentParser
import FoundationEssentials
import Policies

struct ImportPolicy: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Turn another gateway's configuration into a register and routes; needs no server.",
    discussion: """
      Prints two documents, providers and routes, and says on stderr what it could not take over. Country, agreement,
      retention and training are nobody's to guess: the register refuses requests until you fill them in.
      Example: torhausctl policy import litellm config.yaml > policies/imported.yaml
      """)

  enum Source: String, ExpressibleByArgument, CaseIterable { case litellm }

  @Argument(help: "litellm.") var source: Source
  @Argument(help: "Its configuration file.") var file: String
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    guard let data = FileManager.default.contents(atPath: file) else {
      throw CommandFailure(.failed, code: "not_found", "the file cannot be read", place: file)
    }
    do {
      let imported = try LiteLLMImport.read(PolicyFile(name: file, bytes: Array(data)))
      for note in imported.notes { session.console.talk(DisplayText.escapedLines(note.description)) }
      session.console.writeData(imported.text)
    } catch {
      for diagnostic in error.diagnostics { session.console.talk(DisplayText.escapedLines(diagnostic.description)) }
      throw CommandFailure(.failed, code: error.code.rawValue, error.message, place: file)
    }
  }
}
