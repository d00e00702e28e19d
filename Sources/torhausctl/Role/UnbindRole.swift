import ArgumentParser
import Tenancy

struct UnbindRole: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "unbind", abstract: "Take a role away; never your own.")

  @Argument(help: "As 'role bindings' prints it.") var id: BindingID
  @OptionGroup var scope: ScopeOptions
  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    try session.client(server).delete(scope.path("bindings", id.description))
    session.talk("done: binding \(id) is gone")
  }
}
