import ArgumentParser

struct VerifyLog: TorhausctlCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Check a tenant's log for changes, cuts and gaps.",
    discussion: """
      Ends with 0 intact, 1 could not run, 2 torn tail (recovered), 3 modified, 4 truncated or rolled back, 5 gap or \
      missing stream, 6 intact with erased entries.
      """)

  @OptionGroup var tenant: TenantOptions
  @Flag(help: "The same as -o json.") var json = false
  @OptionGroup var server: ServerOptions
  @OptionGroup var output: OutputOptions

  func perform(in session: Session) throws {
    let result: JSONTree
    do {
      result = try session.client(server).post(tenant.path("log", "verify"))
    } catch {
      // Of this verb's codes only 1 means that nothing was checked; 4 and 5 must not be taken for findings.
      throw CommandFailure(
        .failed, code: error.code, error.message, place: error.place, hint: error.hint, requestID: error.requestID)
    }
    if json && output.format == .table {
      session.console.writeData(result.pretty() + "\n")
    } else {
      session.show(
        Detail(
          fields: [
            Column("OUTCOME", "outcome"), Column("SEGMENTS", "segments", .number), Column("FRAMES", "frames", .number),
          ], value: result, nameMember: "outcome"))
      let told = result["findings"].elements + result["notes"].elements
      if output.format == .table, !told.isEmpty {
        session.console.writeData("\n")
        session.show(
          Listing(
            columns: [Column("FINDING", "outcome"), Column("SEGMENT", "segment"), Column("DETAIL", "detail")],
            rows: told,
            nameMember: "outcome"), isWhole: true)
      }
    }
    guard let code = result["exit_code"].integer, (0...6).contains(code) else {
      throw CommandFailure(.failed, code: "bad_answer", "the server's answer holds no result")
    }
    if code != 0 { throw ExitCode(Int32(code)) }
  }
}
