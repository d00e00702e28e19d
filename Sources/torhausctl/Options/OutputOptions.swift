import ArgumentParser

/// How a command shows its data.
struct OutputOptions: ParsableArguments {
  @Option(name: [.customShort("o"), .customLong("output")], help: "table, json, jsonl, csv or name.")
  var format: OutputFormat = .table

  @Option(name: .customLong("color"), help: "auto, always or never.")
  var colour: Style.Choice = .auto

  @Flag(name: .shortAndLong, help: "Say nothing but the data.")
  var quiet = false

  @Flag(name: .customLong("no-input"), help: "Never ask.")
  var noInput = false
}

extension OutputFormat: ExpressibleByArgument {}
extension Style.Choice: ExpressibleByArgument {}
