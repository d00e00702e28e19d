import ArgumentParser

struct RouteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "route", abstract: "Where requests go.", subcommands: [RouteWhy.self])
}
