import ArgumentParser
import Tenancy

struct SetQuota: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "set", abstract: "Set limits of a tenant, or with --key of one key; 'none' lifts a limit.",
    discussion: "Example: torhausctl quota set --tenant mandant-a --tokens-per-day 2000000 --money-per-month 400.00")

  @OptionGroup var tenant: TenantOptions
  @Option(help: ArgumentHelp("As 'key list' prints it.", valueName: "id")) var key: KeyID?
  @Option(help: ArgumentHelp("", valueName: "n")) var tokensPerDay: CountLimit?
  @Option(help: ArgumentHelp("", valueName: "n")) var tokensPerMonth: CountLimit?
  @Option(help: ArgumentHelp("", valueName: "n")) var tokensPerMinute: CountLimit?
  @Option(help: ArgumentHelp("", valueName: "n")) var requestsPerMinute: CountLimit?
  @Option(help: ArgumentHelp("Requests under way at once.", valueName: "n")) var concurrency: CountLimit?
  @Option(help: ArgumentHelp("In the tenant's currency.", valueName: "d")) var moneyPerDay: MoneyLimit?
  @Option(help: ArgumentHelp("In the tenant's currency.", valueName: "d")) var moneyPerMonth: MoneyLimit?
  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard change != .object([:]) else {
      throw ValidationError("Name at least one limit, for example --tokens-per-day 2000000.")
    }
  }

  func perform(in session: Session) throws {
    let quota = try session.client(server).put(
      tenant.path("quota"), query: [("key", key?.description)], change)
    session.show(QuotaCommand.listing(quota))
  }

  private var change: JSONTree {
    .members(
      ("tokens_per_day", tokensPerDay?.value), ("tokens_per_month", tokensPerMonth?.value),
      ("tokens_per_minute", tokensPerMinute?.value), ("requests_per_minute", requestsPerMinute?.value),
      ("concurrency", concurrency?.value), ("money_per_day", moneyPerDay?.value),
      ("money_per_month", moneyPerMonth?.value))
  }
}

/// A whole number, 0 and more, or `none`.
struct CountLimit: ExpressibleByArgument, Equatable {
  let value: JSONTree

  init?(argument: String) {
    if argument == "none" {
      value = .null
    } else if let count = Int64(argument), count >= 0 {
      value = .integer(count)
    } else {
      return nil
    }
  }
}

/// A decimal, 0 and more, with at most nine digits behind the point, or `none`.
struct MoneyLimit: ExpressibleByArgument, Equatable {
  let value: JSONTree

  init?(argument: String) {
    guard argument != "none" else {
      value = .null
      return
    }
    let parts = argument.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 1 || parts.count == 2, (1...10).contains(parts[0].utf8.count),
      parts.count == 1 || (1...9).contains(parts[1].utf8.count),
      parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } })
    else { return nil }
    value = .text(argument)
  }
}
